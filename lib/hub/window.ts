import type { Entry } from '../journal/entry.ts';
import type { Position } from '../protocol/position.ts';
import type { Answer } from '../protocol/wire.ts';
import { Held } from './held.ts';
import { type LastEntry, TopicTable } from './topic-table.ts';

/**
 * The newest entries of one epoch, and for older ones the last offset of each topic.
 * An entry with offset `n` is in slot `n % capacity`.
 */
export class Window {
  readonly #capacity: number;
  #slots: Held[] = [];
  readonly #topics: TopicTable;
  readonly #shared: boolean;
  #epoch = '';
  #head = 0;
  #start = 0;

  /**
   * @param maxTopics so many last offsets are remembered, beside the entries
   * @param shared whether somebody may have been told elsewhere what is not here yet
   */
  constructor(capacity: number, maxTopics: number, shared: boolean) {
    this.#capacity = capacity;
    this.#topics = new TopicTable(maxTopics);
    this.#shared = shared;
  }

  /** The position after the newest entry. */
  get position(): Position {
    return { epoch: this.#epoch, offset: this.#head };
  }

  get epoch(): string {
    return this.#epoch;
  }

  get head(): number {
    return this.#head;
  }

  /** The oldest offset from which all that follows can be replayed. */
  get floor(): number {
    return Math.max(this.#start, this.#head - this.#capacity);
  }

  reset(start: Position): void {
    this.#epoch = start.epoch;
    this.#head = start.offset;
    this.#start = start.offset;
    this.#slots = [];
    this.#topics.reset(start.offset);
  }

  push(entry: Entry): void {
    this.#head = entry.offset;
    this.#slots[entry.offset % this.#capacity] = new Held(entry);
    this.#topics.push(entry);
  }

  /** The entry with this offset, which must be between floor and head. */
  at(offset: number): Held {
    return this.#slots[offset % this.#capacity] as Held;
  }

  /** What a subscriber that was at `since` has to be told, as far as entries and topics are still known. */
  answer(since: Position | undefined): Answer {
    if (!since) return 'live';
    if (since.epoch !== this.#epoch) return 'resync';
    if (since.offset > this.#head) return this.#shared ? 'replayed' : 'resync';
    if (since.offset >= this.floor) return 'replayed';
    return since.offset >= this.#topics.floor ? 'changed' : 'resync';
  }

  /** The last entry of each topic that happened after the offset. */
  changedSince(offset: number): Iterable<LastEntry> {
    return this.#topics.since(offset);
  }
}
