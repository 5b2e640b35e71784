import { Bell } from '../engine/bell.ts';
import type { Kept, Mark } from '../engine/engine.ts';
import { ANSWER_MS, type Line } from './line.ts';
import { isContinuation, keptAt, type Marker, markerOf, segmentOf } from './marker.ts';
import type { Message } from './message.ts';
import { Reader } from './reader.ts';
import type { Stream } from './stream.ts';

/** So many are asked for at once, and at most about twice as many are held. */
const PAGE_MESSAGES = 500;
/** How long one request for more serves. */
const ASK_MS = 5_000;
/** How long `next` waits for something new. */
const WAIT_MS = 1_000;

/** The link of what cannot be told. */
const MISSING = '';

/** What comes after a place, as it comes; where something is missing, what follows no place. */
export class Tail {
  readonly #stream: Stream;
  readonly #seen: (message: Message, marker: Marker) => void;
  readonly #reader: Reader;
  readonly #news = new Bell();
  /** What the last marker said, or what is known of it. */
  #segment: Marker;
  #sequence = 0;
  #kepts: Kept[] = [];
  /** Something is missing. */
  #torn = false;
  /** That was told: what follows has to be read from where the reader goes on. */
  isOver = false;
  #asking = false;
  #heard = performance.now();
  /** The last one that `next` gave. */
  at: Mark;

  /** @param seen is told of each message at once */
  constructor(line: Line, stream: Stream, after: Mark, seen: (message: Message, marker: Marker) => void) {
    this.#stream = stream;
    this.#seen = seen;
    this.at = after;
    this.#segment = segmentOf(after);
    const over = () => {
      this.#heard = performance.now();
      this.#asking = false;
      this.#ask();
    };
    this.#reader = new Reader(line, stream.name, (message) => this.#take(message), over);
  }

  async start(sequence: number): Promise<void> {
    this.#sequence = sequence - 1;
    await this.#reader.start(sequence);
    this.#ask();
  }

  #ask(): void {
    if (this.#asking || this.#torn || this.#kepts.length > PAGE_MESSAGES) return;
    this.#asking = true;
    this.#heard = performance.now();
    this.#reader.more(PAGE_MESSAGES, ASK_MS);
  }

  #take(message: Message): void {
    this.#heard = performance.now();
    if (this.#torn) return;
    if (message.sequence === this.#sequence + 1) this.#add(message);
    else this.#torn = true;
    this.#news.ring();
  }

  #add(message: Message): void {
    this.#sequence = message.sequence;
    const marker = message.subject === this.#stream.markers ? markerOf(message) : undefined;
    const begins = marker && !(isContinuation(marker) && marker.epoch === this.#segment.epoch);
    this.#segment = marker ?? this.#segment;
    if (begins) this.#kepts.push(keptAt(marker, message));
    if (!marker) this.#kepts.push(keptAt(this.#segment, message, message.text));
    this.#seen(message, this.#segment);
  }

  async next(): Promise<readonly Kept[]> {
    if (this.#kepts.length === 0 && !this.#torn) await this.#news.wait(WAIT_MS);
    const kepts = this.#kepts;
    this.#kepts = [];
    if (kepts.length === 0 && this.#torn) {
      this.isOver = true;
      return [{ ...this.at, after: MISSING }];
    }
    this.at = kepts.at(-1) ?? this.at;
    this.#ask();
    if (this.#asking && performance.now() - this.#heard > ASK_MS + ANSWER_MS)
      throw new Error(`no word of new entries for ${ASK_MS + ANSWER_MS} ms`);
    return kepts;
  }

  end(): void {
    this.#reader.end();
  }
}
