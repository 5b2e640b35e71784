import { ReqcastError } from '../protocol/errors.ts';
import { assertNames } from '../protocol/names.ts';
import { type Draft, draftOf, type Entry } from './entry.ts';
import { newEpoch } from './epoch.ts';
import { hand } from './hand.ts';
import type { Journal, JournalSink, JournalStats } from './journal.ts';
import { refuse } from './option.ts';
import { type Query, runQuery } from './query.ts';

export interface MemoryJournalOptions {
  /** Keep so many of the newest entries for queries. @default 10000 */
  maxEntries?: number;
}

/** A journal that lives as long as the process: each start is a new epoch. */
export function memoryJournal(options: MemoryJournalOptions = {}): Journal {
  assertNames('memoryJournal', options, { maxEntries: true });
  const maxEntries = options.maxEntries ?? 10_000;
  if (!Number.isInteger(maxEntries) || maxEntries < 1)
    refuse('memoryJournal', 'maxEntries', maxEntries, '1 or more');
  return new MemoryJournal(maxEntries);
}

class MemoryJournal implements Journal {
  readonly #maxEntries: number;
  /** A ring: the entry with offset `n` is at `n % maxEntries`. */
  readonly #ring: Entry[] = [];
  #head = 0;
  #sink: JournalSink | undefined;
  /** What came before `open`, or while an entry is delivered. */
  #waiting: Draft[] = [];
  #delivering = false;
  #closed = false;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  async open(sink: JournalSink): Promise<void> {
    if (this.#sink)
      throw new ReqcastError('JOURNAL_OPEN_FAILED', 'A journal serves one attachment: make another.');
    this.#sink = sink;
    this.renew();
    this.#deliver();
  }

  renew(): void {
    this.#hand((sink) => sink.reset({ epoch: newEpoch(), offset: this.#head }));
  }

  append(draft: Draft): void {
    if (this.#closed) return;
    this.#waiting.push(draftOf(draft));
    if (this.#sink && !this.#delivering) this.#deliver();
  }

  #deliver(): void {
    this.#delivering = true;
    for (let waiting = this.#waiting; waiting.length > 0; waiting = this.#waiting) {
      this.#waiting = [];
      const entries = waiting.map((draft): Entry => ({ offset: ++this.#head, ...draft }));
      for (const entry of entries) this.#ring[entry.offset % this.#maxEntries] = entry;
      this.#hand((sink) => sink.deliver(entries));
    }
    this.#delivering = false;
  }

  #hand(call: (sink: JournalSink) => void): void {
    if (this.#sink) hand(this.#sink, call);
  }

  async flush(): Promise<void> {}

  stats(): JournalStats {
    return { waiting: this.#waiting.length, lost: 0, connected: this.#sink !== undefined };
  }

  query(query: Query = {}): AsyncIterable<Entry> {
    return runQuery(query, () => [this.#newestFirst()]);
  }

  *#newestFirst(): Iterable<Entry> {
    for (let offset = this.#head; offset > 0; offset--) {
      const entry = this.#ring[offset % this.#maxEntries];
      if (entry?.offset !== offset) return;
      yield entry;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
