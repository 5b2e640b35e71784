import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { uptime } from 'node:os';
import type { Position } from '../protocol/position.ts';
import type { Entry } from './entry.ts';
import { LINE_START } from './line.ts';
import { readTail, type Tail } from './tail.ts';

/** Where a journal goes on after a start. */
export interface Recovery {
  /** The position before the first of `entries`. */
  readonly start: Position;
  /** Oldest first. */
  readonly entries: Entry[];
  /** What was wrong with the file's end. */
  readonly damage: string | undefined;
}

export function newEpoch(): string {
  return randomBytes(6).toString('base64url');
}

/**
 * Reads the file's end and makes it fit for appending.
 *
 * @param synced whether each line was on the disk before it was delivered
 */
export async function recover(file: FileHandle, history: number, synced: boolean): Promise<Recovery> {
  const { size, mtimeMs } = await file.stat();
  const tail = await readTail(file, size, history);
  if (!tail.head && size > 0) await assertOurs(file);
  const damage = await mend(file, tail);
  const { head, entries } = tail;
  if (head && !tail.lost && (synced || !rebootedSince(mtimeMs)))
    return {
      start: { epoch: head.epoch, offset: head.offset - entries.length },
      entries: entries.reverse(),
      damage,
    };
  // Offsets go on in the new epoch, so that within one file a smaller offset is always an older entry.
  return { start: { epoch: newEpoch(), offset: head?.offset ?? 0 }, entries: [], damage };
}

/** A machine that went down may have taken along lines that were delivered, and nothing in the file would tell. */
function rebootedSince(time: number): boolean {
  return time < Date.now() - uptime() * 1000;
}

async function mend(file: FileHandle, { tornAt, lost, corrupt }: Tail): Promise<string | undefined> {
  if (tornAt === undefined) return corrupt ? 'a line is not an entry and was skipped' : undefined;
  if (!lost) {
    await file.truncate(tornAt);
    return 'the last line was cut off in the middle and was removed';
  }
  // Kept: it is the evidence that something was lost, for us at the next start too.
  await file.write('\n');
  return 'it does not end with an entry';
}

/** A mistaken path must not cost somebody the end of another file. */
async function assertOurs(file: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(LINE_START.length), 0, LINE_START.length, 0);
  const start = buffer.toString('latin1', 0, bytesRead);
  if (!LINE_START.startsWith(start)) throw new Error('it holds something else than a journal');
}
