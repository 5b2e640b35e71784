import { ReqcastError } from '../protocol/errors.ts';
import { type Draft, draftOf } from './entry.ts';
import { MAX_LINE_BYTES } from './line.ts';
import { MOST_OF_A_CHARACTER, Slabs, type Waiting } from './waiting.ts';

/** A place that cannot be written for a while must not take the process's memory with it. */
export const MAX_PENDING_ENTRIES = 100_000;
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** What a position adds to an entry where it is kept, about. */
const POSITION_BYTES = 64;

/** What a journal has accepted and not yet put where it keeps entries, in order. */
export class Outbox {
  /** Where they are to go, for messages. */
  readonly #place: () => string;
  readonly #fault: (error: ReqcastError) => void;
  readonly #maxBytes: () => number | undefined;
  readonly #slabs = new Slabs();
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #accepted = 0;
  #settled = 0;
  #lost = 0;
  /** Entries were lost since `overflowed` was last answered with true. */
  #lossUntold = false;
  #flushes: { readonly upTo: number; readonly done: () => void }[] = [];

  /** @param maxBytes the largest entry that the place takes, if it takes less than journals do */
  constructor(
    place: () => string,
    fault: (error: ReqcastError) => void,
    maxBytes: () => number | undefined = () => undefined,
  ) {
    this.#place = place;
    this.#fault = fault;
    this.#maxBytes = maxBytes;
  }

  /** How many are still to be taken. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Accepted and not settled. */
  get pending(): number {
    return this.#accepted - this.#settled;
  }

  /** How many there was no room for. */
  get lost(): number {
    return this.#lost;
  }

  /** What cannot be kept is a fault. */
  accept(given: Draft): void {
    const draft = draftOf(given);
    const json = this.#stringify(draft);
    if (json === undefined) return;
    if (this.size < MAX_PENDING_ENTRIES && this.#bytes + json.length <= MAX_PENDING_BYTES) {
      const waiting = this.#slabs.put(draft, json);
      this.#waiting.push(waiting);
      this.#bytes += waiting.bytes;
      this.#accepted++;
      return;
    }
    this.#lost++;
    if (this.#lossUntold) return;
    this.#lossUntold = true;
    const message = `More entries wait for ${this.#place()} than fit in memory (${MAX_PENDING_ENTRIES}): new ones are lost until it can be written.`;
    this.#fault(new ReqcastError('OVERLOADED', message));
  }

  #stringify(draft: Draft): string | undefined {
    const most = Math.min(MAX_LINE_BYTES / 2, this.#maxBytes() ?? Number.POSITIVE_INFINITY);
    let message = `An entry is larger than ${most} bytes and is lost: give less data.`;
    let cause: unknown;
    try {
      const json = JSON.stringify(draft);
      // Most are so small that their bytes need not be counted.
      if (json.length * MOST_OF_A_CHARACTER < most || Buffer.byteLength(json) < most) return json;
    } catch (error) {
      cause = error;
      message = `An entry is not JSON and is lost: ${(error as Error).message}`;
    }
    this.#fault(new ReqcastError('INVALID_DATA', message, { cause }));
    return undefined;
  }

  /** The oldest ones, as many as fit into so many bytes, and one at least if there is one. */
  take(maxBytes: number): Waiting[] {
    let total = 0;
    let count = 0;
    for (const { bytes } of this.#waiting) {
      if (count > 0 && total + bytes + (count + 1) * POSITION_BYTES > maxBytes) break;
      total += bytes;
      count++;
    }
    this.#bytes -= total;
    return this.#waiting.splice(0, count);
  }

  /**
   * Whether some were lost, and there is room again: what was lost was announced to nobody, so a new epoch MUST begin.
   * Says so once.
   */
  overflowed(): boolean {
    const relaxed = this.size <= MAX_PENDING_ENTRIES / 2 && this.#bytes <= MAX_PENDING_BYTES / 2;
    if (!this.#lossUntold || !relaxed) return false;
    this.#lossUntold = false;
    return true;
  }

  /** So many more of those that were taken are in the journal. */
  settle(count: number): void {
    this.#settled += count;
    while (this.#flushes[0] && this.#flushes[0].upTo <= this.#settled) this.#flushes.shift()?.done();
  }

  /** Nobody waits any longer: what is not in the journal was reported. */
  release(): void {
    for (const { done } of this.#flushes.splice(0)) done();
  }

  /** Resolves when all that was accepted is settled, or at the next `release`. */
  async flushed(): Promise<void> {
    if (this.pending === 0) return;
    const upTo = this.#accepted;
    await new Promise<void>((done) => this.#flushes.push({ upTo, done }));
  }
}
