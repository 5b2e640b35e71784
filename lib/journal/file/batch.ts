import type { Entry } from '../entry.ts';
import { linePrefix } from '../line.ts';
import type { Waiting } from '../waiting.ts';

/** One write is about so much at most: enough to be fast, little enough to keep the event loop free. */
export const MAX_BATCH_BYTES = 256 * 1024;

const NEWLINE = 10;

/** Entries that are written together. */
export interface Batch {
  readonly entries: readonly Entry[];
  readonly bytes: Buffer;
}

/** Gives the waiting ones the offsets that follow `head`. */
export function batchOf(waiting: readonly Waiting[], epoch: string, head: number): Batch {
  const longest = linePrefix(epoch, head + waiting.length).length;
  let most = waiting.length * longest;
  for (const { bytes } of waiting) most += bytes;
  // Not from the pool of small ones, which it would keep.
  const room = Buffer.allocUnsafeSlow(most);
  const entries: Entry[] = [];
  let at = 0;
  for (const one of waiting) {
    const offset = head + entries.length + 1;
    entries.push({ offset, ...one.draft });
    at += room.write(linePrefix(epoch, offset), at, 'latin1');
    // Without its brace, for which there is the end of the line.
    at += one.copy(room, at, 1);
    room[at++] = NEWLINE;
  }
  return { entries, bytes: room.subarray(0, at) };
}
