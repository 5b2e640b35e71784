import type { Draft, Entry } from './entry.ts';
import { formatLine } from './line.ts';

/** A file that cannot be written for a while must not take the process's memory with it. */
export const MAX_PENDING_ENTRIES = 100_000;
export const MAX_PENDING_CHARACTERS = 64 * 1024 * 1024;

/** One write is about so much at most: enough to be fast, little enough to keep the event loop free. */
export const MAX_BATCH_CHARACTERS = 1024 * 1024;

/** Entries that are written together. */
export interface Batch {
  readonly entries: readonly Entry[];
  readonly bytes: Buffer;
}

/** What was accepted and has no offset yet. */
export class Backlog {
  readonly #drafts: { readonly draft: Draft; readonly json: string }[] = [];
  #characters = 0;

  get size(): number {
    return this.#drafts.length;
  }

  /** Half empty: time to tell that it was full. */
  get relaxed(): boolean {
    return this.size <= MAX_PENDING_ENTRIES / 2 && this.#characters <= MAX_PENDING_CHARACTERS / 2;
  }

  /** Returns false if there is no room. @param json the draft */
  add(draft: Draft, json: string): boolean {
    if (this.size >= MAX_PENDING_ENTRIES || this.#characters + json.length > MAX_PENDING_CHARACTERS)
      return false;
    this.#drafts.push({ draft, json });
    this.#characters += json.length;
    return true;
  }

  /** The oldest ones, with offsets that follow `head`, as many as fit, and one at least. */
  take(epoch: string, head: number, maxCharacters = MAX_BATCH_CHARACTERS): Batch {
    const entries: Entry[] = [];
    let lines = '';
    for (const { draft, json } of this.#drafts) {
      if (entries.length > 0 && lines.length + json.length > maxCharacters) break;
      const offset = head + entries.length + 1;
      entries.push({ offset, ...draft });
      lines += formatLine(epoch, offset, json);
      this.#characters -= json.length;
    }
    this.#drafts.splice(0, entries.length);
    return { entries, bytes: Buffer.from(lines) };
  }
}
