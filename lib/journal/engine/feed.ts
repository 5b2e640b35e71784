import type { Entry } from '../entry.ts';
import type { JournalSink } from '../journal.ts';
import { formatLine, parseLine } from '../line.ts';
import { follows, isBehind, type Kept, type Mark } from './engine.ts';

type Receiver = Pick<JournalSink, 'reset' | 'deliver'>;

/** Hands on what the engine keeps, and knows how far that went. */
export class Feed {
  readonly #receiver: Receiver;
  readonly #onCorrupt: () => void;
  #at: Mark | undefined;
  #waiting: { readonly mark: Mark; readonly done: () => void }[] = [];

  /** @param onCorrupt called for what is no entry; the entries after it begin anew, as after a hole */
  constructor(receiver: Receiver, onCorrupt: () => void) {
    this.#receiver = receiver;
    this.#onCorrupt = onCorrupt;
  }

  /** How far it came; nothing before `begin`. */
  get at(): Mark | undefined {
    return this.#at;
  }

  /** @param newest what comes right before `head`, `head` included, newest first, as far as it is wanted */
  begin(head: Mark, newest: readonly Kept[]): void {
    const entries: Entry[] = [];
    for (const kept of newest) {
      const entry = kept.epoch === head.epoch ? entryOf(kept) : undefined;
      if (entry?.offset !== head.offset - entries.length) break;
      entries.push(entry);
    }
    this.#at = head;
    this.#receiver.reset({ epoch: head.epoch, offset: head.offset - entries.length });
    if (entries.length > 0) this.#receiver.deliver(entries.reverse());
    this.#tell();
  }

  /** What follows, oldest first. Where something is missing in between, a history begins anew. */
  take(kepts: readonly Kept[]): void {
    let entries: Entry[] = [];
    const deliver = () => {
      if (entries.length > 0) this.#receiver.deliver(entries);
      entries = [];
    };
    for (const kept of kepts) {
      const entry = entryOf(kept);
      if (kept.json !== undefined && !entry) this.#onCorrupt();
      if (!entry || !this.#at || !follows(kept, this.#at)) {
        deliver();
        this.#receiver.reset({ epoch: kept.epoch, offset: entry ? kept.offset - 1 : kept.offset });
      }
      if (entry) entries.push(entry);
      this.#at = kept;
    }
    deliver();
    this.#tell();
  }

  /** Resolves when all up to the place was handed on, or will never be, or at the next `release`. */
  async reached(mark: Mark): Promise<void> {
    if (!this.#isBehind(mark)) return;
    await new Promise<void>((done) => this.#waiting.push({ mark, done }));
  }

  /** Nobody waits any longer. */
  release(): void {
    for (const { done } of this.#waiting.splice(0)) done();
  }

  #isBehind(mark: Mark): boolean {
    return !this.#at || isBehind(this.#at, mark);
  }

  #tell(): void {
    const there = this.#waiting.filter(({ mark }) => !this.#isBehind(mark));
    this.#waiting = this.#waiting.filter((waiting) => !there.includes(waiting));
    for (const { done } of there) done();
  }
}

/** The entry, or nothing if what is kept is none. */
export function entryOf({ epoch, offset, json }: Kept): Entry | undefined {
  const entry = json === undefined ? undefined : parseLine(formatLine(epoch, offset, json))?.entry;
  return entry?.offset === offset ? entry : undefined;
}
