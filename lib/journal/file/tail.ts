import type { FileHandle } from 'node:fs/promises';
import type { Position } from '../../protocol/position.ts';
import type { Entry } from '../entry.ts';
import { LINE_START, parseLine } from '../line.ts';
import { blocksBackwards } from './backwards.ts';
import { type Block, linesOf } from './block.ts';

/** How far back an entry is looked for when the file ends with something else. */
const MAX_SEARCH_BYTES = 16 * 1024 * 1024;

/** What the end of the history tells. */
export interface Tail {
  /** The newest entry's position; nothing if no entry was found. */
  head: Position | undefined;
  /** Newest first, without a hole, all of the head's epoch. */
  entries: Entry[];
  /** Where a torn last line begins in the file that was read first. */
  tornAt: number | undefined;
  /** Whether that is more than the beginning of a line. */
  foreign: boolean;
  /** A line that is no entry was met. */
  corrupt: boolean;
}

export function emptyTail(): Tail {
  return { head: undefined, entries: [], tornAt: undefined, foreign: false, corrupt: false };
}

/**
 * Reads a file's end back to `history` entries, or to what cannot be replayed. Goes on with `tail` where that is from
 * the file after this one.
 *
 * @returns whether an older file may have more
 */
export async function readTail(
  tail: Tail,
  file: FileHandle,
  size: number,
  history: number,
): Promise<boolean> {
  for await (const block of blocksBackwards(file, size)) if (!take(tail, block, size, history)) return false;
  return true;
}

/** Returns whether there is more to read. */
function take(tail: Tail, block: Block, size: number, history: number): boolean {
  if (!block.terminated) {
    tail.tornAt = block.start;
    tail.foreign = !isOurs(block.bytes?.toString());
    return true;
  }
  for (const line of linesOf(block)) if (!takeLine(tail, line, size - block.start, history)) return false;
  return true;
}

/** @param fromEnd how far back in the file it is, about */
function takeLine(tail: Tail, line: string | undefined, fromEnd: number, history: number): boolean {
  const parsed = line === undefined ? undefined : parseLine(line);
  if (!parsed) {
    tail.corrupt = true;
    return !tail.head && fromEnd < MAX_SEARCH_BYTES;
  }
  const { epoch, entry } = parsed;
  tail.head ??= { epoch, offset: entry.offset };
  if (epoch !== tail.head.epoch || entry.offset !== tail.head.offset - tail.entries.length) return false;
  if (tail.entries.length >= history) return false;
  tail.entries.push(entry);
  return true;
}

/**
 * A write that was cut off leaves the beginning of a line that was never delivered. Zeros, which a power failure
 * leaves, or anything else may have been more than that.
 */
function isOurs(text: string | undefined): boolean {
  if (text === undefined || text.includes('\0')) return false;
  return text.startsWith(LINE_START) || LINE_START.startsWith(text);
}
