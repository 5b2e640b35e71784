import type { FileHandle } from 'node:fs/promises';
import type { Position } from '../../protocol/position.ts';
import type { Entry } from '../entry.ts';
import { newEpoch } from '../epoch.ts';
import { LINE_START } from '../line.ts';
import { keptFiles } from './kept.ts';
import type { State } from './state.ts';
import { emptyTail, readTail, type Tail } from './tail.ts';

/** Where a journal goes on after a start. */
export interface Recovery {
  readonly epoch: string;
  /** The offset at which the epoch began. */
  readonly start: number;
  /** The newest offset; a new epoch goes on from there too, so that a smaller offset is always an older entry. */
  readonly head: number;
  /** The newest ones that can be replayed, oldest first. */
  readonly entries: Entry[];
  /** What was wrong with the files. */
  readonly damage: readonly string[];
}

/** What the last run left. */
export interface Known {
  readonly state?: State;
  /** It is that run's own, and all that it had delivered was at least written. */
  readonly believable: boolean;
}

/** The same, in another epoch. */
export function renewed(recovery: Recovery): Recovery {
  return { ...recovery, epoch: newEpoch(), start: recovery.head, entries: [] };
}

/**
 * Reads the end of the history and makes the file fit for appending.
 *
 * @param file the one at `path`
 */
export async function recover(
  file: FileHandle,
  path: string,
  history: number,
  known: Known,
): Promise<Recovery> {
  const { size } = await file.stat();
  const tail = emptyTail();
  const more = await readTail(tail, file, size, history);
  if (!tail.head && size > 0) await assertOurs(file);
  const damage = [await mend(file, tail)];
  if (more) damage.push(await readKept(tail, path, history));
  return { ...(await decide(tail, path, known)), damage: damage.filter((what) => what !== undefined) };
}

async function decide(
  { head, entries }: Tail,
  path: string,
  { state, believable }: Known,
): Promise<Omit<Recovery, 'damage'>> {
  if (state && believable && goesOn(state, head)) {
    const { epoch, start } = state;
    if (head?.epoch !== epoch) return { epoch, start, head: start, entries: [] };
    return { epoch, start, head: head.offset, entries: entries.reverse() };
  }
  const highest = Math.max(state?.head ?? 0, head?.offset ?? 0, await highestKept(path));
  return { epoch: newEpoch(), start: highest, head: highest, entries: [] };
}

/** Whether the history ends with all that the state knows of, or with more, which nobody was told of yet. */
function goesOn({ epoch, start, head }: State, newest: Position | undefined): boolean {
  if (newest?.epoch === epoch) return newest.offset >= head;
  // The epoch has no entry yet that could be missing.
  return head === start && (newest?.offset ?? 0) <= start;
}

/** Goes on reading in the files that rotation kept. */
async function readKept(tail: Tail, path: string, history: number): Promise<string | undefined> {
  try {
    for await (const kept of keptFiles(path))
      if (!(await readTail(tail, kept, (await kept.stat()).size, history))) return undefined;
  } catch (error) {
    return `a file that rotation kept cannot be read: ${(error as Error).message}`;
  }
  return undefined;
}

async function highestKept(path: string): Promise<number> {
  let highest = 0;
  try {
    for await (const kept of keptFiles(path)) {
      const tail = emptyTail();
      await readTail(tail, kept, (await kept.stat()).size, 0);
      highest = Math.max(highest, tail.head?.offset ?? 0);
    }
  } catch {
    // What cannot be read was told of while reading for replay, and is not read for queries either.
  }
  return highest;
}

async function mend(file: FileHandle, { tornAt, foreign, corrupt }: Tail): Promise<string | undefined> {
  if (tornAt === undefined) return corrupt ? 'a line is not an entry and was skipped' : undefined;
  if (!foreign) {
    await file.truncate(tornAt);
    return 'the last line was cut off in the middle and was removed';
  }
  // Not ours to remove.
  await file.write('\n');
  return 'it does not end with an entry';
}

/** A mistaken path must not cost somebody the end of another file. */
async function assertOurs(file: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(LINE_START.length), 0, LINE_START.length, 0);
  const start = buffer.toString('latin1', 0, bytesRead);
  if (!LINE_START.startsWith(start)) throw new Error('it holds something else than a journal');
}
