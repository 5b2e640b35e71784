import type { Kept, Mark } from '../engine/engine.ts';
import { ANSWER_MS, type Line } from './line.ts';
import { isContinuation, keptAt, markerOf, placeOf, type Segment, segmentOf } from './marker.ts';
import type { Message } from './message.ts';
import { Reader } from './reader.ts';
import type { Stream } from './stream.ts';

const PAGE_MESSAGES = 500;
/** Where messages are missing, so many as were asked for do not come. */
const PAGE_MS = 1_000;

/** Reads a stream backwards. JetStream reads forwards only, so it is read in pages. */
export class History {
  readonly #line: Line;
  readonly #stream: Stream;

  constructor(line: Line, stream: Stream) {
    this.#line = line;
    this.#stream = stream;
  }

  /** What comes right before a place, or before the end, newest first; nothing: there is no more. */
  async previous(before?: Mark): Promise<readonly Kept[]> {
    // The place itself is read again: if it is a marker, it tells what came before it.
    const top = before ? { to: placeOf(before).sequence, segment: segmentOf(before) } : await this.#end();
    let { to, segment }: { to: number; segment: Segment | undefined } = top;
    let known = before && to;
    const kepts: Kept[] = [];
    while (segment && to > 0 && kepts.length === 0) {
      const from = Math.max(1, to - PAGE_MESSAGES + 1);
      const messages = await this.#page(from, to);
      if (messages.length === 0 || (known !== undefined && messages.at(-1)?.sequence !== known)) break;
      for (const message of messages.reverse()) {
        const marker: ReturnType<typeof markerOf> =
          message.subject === this.#stream.markers ? markerOf(message) : undefined;
        if (message.sequence !== known) kepts.push(...keptOf(segment, message, marker));
        if (marker) segment = marker.before;
        if (!segment) break;
      }
      known = undefined;
      to = from - 1;
    }
    return kepts;
  }

  async #end(): Promise<{ to: number; segment: Segment | undefined }> {
    const { last } = await this.#stream.extent();
    const message = await this.#stream.lastMarker();
    if (!message) return { to: 0, segment: undefined };
    return { to: Math.max(last.sequence, message.sequence), segment: markerOf(message) };
  }

  async #page(from: number, to: number): Promise<Message[]> {
    const messages: Message[] = [];
    let over!: () => void;
    const all = new Promise<void>((done) => {
      over = done;
    });
    const receive = (message: Message) => {
      if (message.sequence <= to) messages.push(message);
      if (message.sequence >= to) over();
    };
    const reader = new Reader(this.#line, this.#stream.name, receive, over);
    const late = setTimeout(
      () => this.#line.fail(new Error(`no answer for ${ANSWER_MS} ms`)),
      PAGE_MS + ANSWER_MS,
    );
    try {
      await reader.start(from);
      reader.more(to - from + 1, PAGE_MS);
      await this.#line.orBroken(all);
      return messages;
    } finally {
      clearTimeout(late);
      reader.end();
    }
  }
}

function keptOf(segment: Segment, message: Message, marker: ReturnType<typeof markerOf>): Kept[] {
  if (!marker) return [keptAt(segment, message, message.text)];
  return isContinuation(marker) ? [] : [keptAt(marker, message)];
}
