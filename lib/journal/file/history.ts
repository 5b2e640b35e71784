import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ReqcastError } from '../../protocol/errors.ts';
import type { Entry } from '../entry.ts';
import { parseLine } from '../line.ts';
import type { LineTest } from '../spelling.ts';
import { blocksBackwards } from './backwards.ts';
import { type Block, linesOf } from './block.ts';
import { keptFiles } from './kept.ts';

/**
 * The entries of the file as it is at the first pull, then those of the files that rotation kept, newest first, a group
 * for each piece that is read. A group is parsed as it is iterated. A rotation meanwhile brings none twice: each has a
 * smaller offset than the one before.
 *
 * @param isWorthParsing entries whose line does not pass are left out
 * @param onCorrupt called once if there is a line that is no entry; such lines are left out
 */
export async function* readHistory(
  path: string,
  isWorthParsing: LineTest | undefined,
  onCorrupt: () => void,
): AsyncGenerator<Iterable<Entry>> {
  let corrupt = false;
  let last = Number.POSITIVE_INFINITY;
  function* entriesOf(block: Block): Generator<Entry> {
    for (const line of linesOf(block, isWorthParsing)) {
      const entry = line === undefined ? undefined : parseLine(line)?.entry;
      if (!entry) {
        if (!corrupt) onCorrupt();
        corrupt = true;
      } else if (entry.offset < last) {
        last = entry.offset;
        yield entry;
      }
    }
  }
  try {
    // What has no end yet is being written just now.
    for await (const file of allFiles(path))
      for await (const block of blocksBackwards(file, (await file.stat()).size))
        if (block.terminated) yield entriesOf(block);
  } catch (cause) {
    const message = `The journal cannot be read from ${path}: ${(cause as Error).message}. Check that it and what rotation left beside it are files that this process may read.`;
    throw new ReqcastError('JOURNAL_READ_FAILED', message, { cause });
  }
}

async function* allFiles(path: string): AsyncGenerator<FileHandle> {
  // A pipe that nobody writes would not be opened otherwise.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error) => {
    // Renamed away, and nothing was written since.
    if (error.code !== 'ENOENT') throw error;
  });
  try {
    if (file) yield file;
  } finally {
    await file?.close();
  }
  yield* keptFiles(path);
}
