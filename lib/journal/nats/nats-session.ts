import { Bell } from '../engine/bell.ts';
import type { Batch, Kept, Mark, Session, Step } from '../engine/engine.ts';
import { Epoch } from './epoch.ts';
import { History } from './history.ts';
import { ANSWER_MS, type Line } from './line.ts';
import { type Marker, markAt, placeOf } from './marker.ts';
import type { Message } from './message.ts';
import type { Stream } from './stream.ts';
import { Tail } from './tail.ts';
import type { Writer } from './writer.ts';

/** So many messages are sent before the first one is confirmed: a server drops what it is flooded with. */
const WINDOW_MESSAGES = 256;

/** The app's connection, from when the journal has found its stream until the connection is lost. */
export class NatsSession implements Session {
  readonly #line: Line;
  readonly #stream: Stream;
  readonly #writer: Writer;
  readonly #epoch: Epoch;
  readonly #history: History;
  readonly #news = new Bell();
  #tail: Tail | undefined;
  /** The furthest place that came in. */
  #read: Mark | undefined;
  /** Where the end was when it was last looked for. */
  #end = 0;

  constructor(line: Line, stream: Stream, writer: Writer) {
    this.#line = line;
    this.#stream = stream;
    this.#writer = writer;
    this.#epoch = new Epoch(stream);
    this.#history = new History(line, stream);
  }

  async take({ known, batch, renew }: Step): Promise<Mark> {
    if (batch && !renew) return this.#add(batch);
    const end = await this.#epoch.look(known, renew === true);
    this.#end = placeOf(end).sequence;
    return end;
  }

  /** Looking writes nothing, unless the marker has to move on. */
  async stillHas(): Promise<boolean> {
    return false;
  }

  /** Resolves when the batch has come in again: what comes in is of the very stream that was found to be the known one. */
  async #add(batch: Batch): Promise<Mark> {
    // Sent and not confirmed, it may be there; what was there at the look will have come in.
    if (this.#writer.begin(batch)) await this.#reached(this.#end);
    const missing = this.#writer.missing(batch);
    let last = 0;
    for (let i = 0; i < missing.length; i += WINDOW_MESSAGES) {
      const window = missing.slice(i, i + WINDOW_MESSAGES);
      last = Math.max(last, await this.#send(batch, window));
      await this.#epoch.moveOn(last);
    }
    return this.#reached(last);
  }

  async #send(batch: Batch, window: readonly number[]): Promise<number> {
    const floor = this.#sequence;
    const sent = window.map((index) =>
      this.#stream.addEntry(this.#writer.idOf(batch, index), batch.drafts[index] as string),
    );
    const answers = await Promise.all(sent);
    if (answers.some(({ seq, duplicate }) => !duplicate && seq <= floor))
      throw new Error('the stream is another one');
    return Math.max(...answers.map(({ seq }) => seq));
  }

  get #sequence(): number {
    return this.#read ? placeOf(this.#read).sequence : 0;
  }

  async #reached(sequence: number): Promise<Mark> {
    const until = performance.now() + ANSWER_MS;
    while (!this.#read || this.#sequence < sequence) {
      const left = until - performance.now();
      if (left <= 0) throw new Error(`what was stored was not delivered for ${ANSWER_MS} ms`);
      await this.#line.orBroken(this.#news.wait(left));
    }
    return this.#read;
  }

  async next(after: Mark): Promise<readonly Kept[]> {
    if (this.#tail?.at.link !== after.link || this.#tail.isOver) await this.#readFrom(after);
    return this.#line.orBroken((this.#tail as Tail).next());
  }

  async #readFrom(after: Mark): Promise<void> {
    const see = (message: Message, marker: Marker) => this.#see(message, marker);
    const { current } = this.#epoch;
    this.#tail?.end();
    this.#tail = new Tail(this.#line, this.#stream, after, see);
    // What lies between belongs to a history that nobody follows, and in a new stream sequences begin anew.
    const elsewhere = current && current.epoch !== after.epoch;
    this.#read = elsewhere ? undefined : after;
    this.#news.ring();
    await this.#tail.start(elsewhere ? current.sequence : placeOf(after).sequence + 1);
  }

  #see(message: Message, marker: Marker): void {
    if (message.id) this.#writer.see(message.id);
    if (message.subject === this.#stream.markers) this.#epoch.see(message, marker);
    this.#read = markAt(marker, message);
    this.#news.ring();
  }

  previous(before?: Mark): Promise<readonly Kept[]> {
    return this.#history.previous(before);
  }

  end(): void {
    this.#tail?.end();
    this.#line.end();
  }
}
