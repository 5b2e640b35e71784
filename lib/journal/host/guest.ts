import type { Socket } from 'node:net';
import createDebug from 'debug';
import { ReqcastError } from '../../protocol/errors.ts';
import type { Position } from '../../protocol/position.ts';
import type { Draft, Entry } from '../entry.ts';
import { MAX_LINE_BYTES } from '../line.ts';
import type { Query } from '../query.ts';
import { beatLine, errorLine, type GuestLine, jsonLine, parseGuestLine, startLine } from './host-wire.ts';
import { LineReader } from './line-reader.ts';
import type { Ring } from './ring.ts';
import { type Mark, originOf } from './writers.ts';

const debug = createDebug('reqcast:host');

/** What a query finds is sent in pieces of about so many characters. */
const PIECE_CHARACTERS = 64 * 1024;

/** A guest that is sent away and does not go is cut off after this long. */
const PARTING_MS = 1_000;

/** What a guest finds behind the door. */
export interface House {
  readonly ring: Ring;
  /** Resolves when there is room for one more entry. */
  room(): Promise<void>;
  append(draft: Draft): void;
  /** Takes the draft with this number of the writer's; false if it was taken before. */
  accept(writer: string, seq: number): boolean;
  /** How far the writer came, as far as is remembered. */
  markOf(writer: string): Mark;
  /** Makes sure that what the writer wrote after `since`, up to which it knows all, is remembered. */
  recall(writer: string, since: Position | undefined): Promise<void>;
  /** A writer lost entries: everybody has to refresh. */
  renew(): void;
  query(query: Query): AsyncIterable<Entry>;
}

/** One connection to the owner: a process that shares the journal, or any other program. */
export class Guest {
  readonly #socket: Socket;
  readonly #house: House;
  readonly #reader = new LineReader(MAX_LINE_BYTES);
  #writer: string | undefined;
  /** What it has been sent, if it follows the stream. */
  #position: Position | undefined;
  /** It is being told what a query finds. */
  #asking = false;
  #leaving = false;

  constructor(socket: Socket, house: House) {
    this.#socket = socket;
    this.#house = house;
    socket.on('drain', () => this.wake());
  }

  /** Resolves when nothing more will come. */
  async serve(): Promise<void> {
    try {
      for await (const piece of this.#socket.iterator({ destroyOnReturn: false })) {
        const lines = this.#reader.push(piece as Buffer);
        if (!lines) throw new ReqcastError('INVALID_DATA', `a line is longer than ${MAX_LINE_BYTES} bytes`);
        for (const line of lines) await this.#hear(line);
        if (this.#leaving) return;
      }
    } catch (error) {
      debug('a guest is left: %s', (error as Error).message);
      if (error instanceof ReqcastError) this.#socket.write(errorLine(error));
    }
    this.end();
  }

  /** What cannot be understood is answered, and the guest stays. One that does not read the answer is not heard either. */
  async #hear(text: string): Promise<void> {
    // Nobody is told of what comes now, so the guest says it to the next owner again.
    if (this.#leaving) return;
    try {
      await this.#heed(parseGuestLine(text));
    } catch (error) {
      if (!(error instanceof ReqcastError)) throw error;
      await this.#take(errorLine(error));
    }
  }

  async #heed(line: GuestLine): Promise<void> {
    if (line.kind === 'publish' || line.kind === 'append') {
      await this.#house.room();
      if (!this.#leaving) this.#append(line);
    } else if (line.kind === 'stream') await this.#stream(line);
    else if (line.kind === 'query') await this.#answer(line.query);
    else this.#house.renew();
  }

  #append(line: GuestLine & { kind: 'publish' | 'append' }): void {
    if (line.kind === 'publish') {
      this.#house.append(line.draft);
      return;
    }
    const writer = this.#writer;
    if (writer === undefined)
      throw new ReqcastError('INVALID_DATA', 'append comes before a "since" line with "from"');
    if (!this.#house.accept(writer, line.seq)) return;
    if (!line.draft) throw new ReqcastError('INVALID_DATA', `draft ${line.seq} is not an entry`);
    this.#house.append({ ...line.draft, origin: originOf(writer, line.seq) });
  }

  async #stream({ since, history, from }: GuestLine & { kind: 'stream' }): Promise<void> {
    if (from !== undefined) await this.#house.recall(from, since);
    // One that asks again and again is answered as fast as it reads.
    await this.#drained();
    this.#writer = from;
    const { ring } = this.#house;
    const { epoch, offset: head } = ring.position;
    const known = since?.epoch === epoch && since.offset >= ring.floor && since.offset <= head;
    this.#start(known ? since : { epoch, offset: Math.max(ring.floor, head - history) }, !known);
    this.wake();
  }

  #start(at: Position, anew: boolean): void {
    const { accepted, stored } = this.#mark();
    const head = this.#house.ring.position.offset;
    this.#position = at;
    this.#socket.write(startLine({ at, anew, head, accepted, stored }));
  }

  #mark(): Mark {
    return this.#writer === undefined ? { accepted: 0, stored: 0 } : this.#house.markOf(this.#writer);
  }

  /** Sends what it lacks, as far as it can take it. */
  wake(): void {
    const { ring } = this.#house;
    while (this.#position && this.#isWritable) {
      const { epoch, offset } = this.#position;
      const now = ring.position;
      if (epoch !== now.epoch || offset < ring.floor)
        this.#start({ epoch: now.epoch, offset: ring.floor }, true);
      else if (offset === now.offset) return;
      else {
        const { bytes, reached } = ring.piece(offset);
        this.#position = { epoch, offset: reached };
        this.#socket.write(bytes);
      }
    }
  }

  get #isWritable(): boolean {
    return this.#socket.writable && !this.#socket.writableNeedDrain;
  }

  /** Says that the owner lives, to who waits for it to speak. `idle`: nothing waits for the journal. */
  beat(connected: boolean, idle: boolean): void {
    if (!(this.#position || this.#asking) || !this.#isWritable) return;
    // A draft that was refused further on is seen by nobody; whoever waits for it must not wait for ever.
    const told = idle && this.#position?.offset === this.#house.ring.position.offset;
    this.#socket.write(beatLine({ connected, ...(told && { accepted: this.#mark().accepted }) }));
  }

  async #answer(query: Query): Promise<void> {
    if (this.#position) throw new ReqcastError('INVALID_QUERY', 'a query needs a connection of its own');
    this.#asking = true;
    try {
      await this.#tell(this.#house.query(query));
    } finally {
      this.#asking = false;
    }
  }

  async #tell(found: AsyncIterable<Entry>): Promise<void> {
    let piece = '';
    for await (const entry of found) {
      piece += jsonLine(entry);
      if (piece.length < PIECE_CHARACTERS) continue;
      if (!(await this.#take(piece))) return;
      piece = '';
    }
    await this.#take(piece + jsonLine({ end: true }));
  }

  /** Resolves when more can be sent; to false if nothing can any more. */
  async #take(piece: string): Promise<boolean> {
    this.#socket.write(piece);
    await this.#drained();
    return this.#socket.writable;
  }

  /** Resolves when it has read what it was sent, or cannot any more. */
  async #drained(): Promise<void> {
    const socket = this.#socket;
    if (!socket.writableNeedDrain || !socket.writable) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  /** Sends it away, with what it has been sent. */
  end(): void {
    this.#leaving = true;
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), PARTING_MS).unref();
  }
}
