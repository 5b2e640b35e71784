import type { Entry } from '../entry.ts';
import { formatLine } from '../line.ts';
import type { Waiting } from '../outbox.ts';

/** One write is about so much at most: enough to be fast, little enough to keep the event loop free. */
export const MAX_BATCH_CHARACTERS = 256 * 1024;

/** Entries that are written together. */
export interface Batch {
  readonly entries: readonly Entry[];
  readonly bytes: Buffer;
}

/** Gives the waiting ones the offsets that follow `head`. */
export function batchOf(waiting: readonly Waiting[], epoch: string, head: number): Batch {
  const entries: Entry[] = [];
  let lines = '';
  for (const { draft, json } of waiting) {
    const offset = head + entries.length + 1;
    entries.push({ offset, ...draft });
    lines += formatLine(epoch, offset, json);
  }
  return { entries, bytes: Buffer.from(lines) };
}
