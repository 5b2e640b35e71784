import { type FileHandle, open } from 'node:fs/promises';
import { ReqcastError } from '../../protocol/errors.ts';
import type { Entry } from '../entry.ts';
import { parseLine } from '../line.ts';
import { linesBackwards } from './backwards.ts';
import { keptFiles } from './kept.ts';

/**
 * The entries of the file as it is at the first pull, then those of the files that rotation kept, newest first. A
 * rotation meanwhile brings none twice: each has a smaller offset than the one before.
 *
 * @param onCorrupt called once if there is a line that is no entry; such lines are left out
 */
export async function* readHistory(path: string, onCorrupt: () => void): AsyncGenerator<Entry> {
  let corrupt = false;
  let last = Number.POSITIVE_INFINITY;
  try {
    for await (const file of allFiles(path))
      for await (const lines of linesBackwards(file, (await file.stat()).size))
        for (const { text, terminated } of lines) {
          // What has no end yet is being written just now.
          if (!terminated) continue;
          const entry = text === undefined ? undefined : parseLine(text)?.entry;
          if (!entry) {
            if (!corrupt) onCorrupt();
            corrupt = true;
          } else if (entry.offset < last) {
            last = entry.offset;
            yield entry;
          }
        }
  } catch (cause) {
    const message = `The journal cannot be read from ${path}: ${(cause as Error).message}. Check that it and what rotation left beside it are files that this process may read.`;
    throw new ReqcastError('JOURNAL_READ_FAILED', message, { cause });
  }
}

async function* allFiles(path: string): AsyncGenerator<FileHandle> {
  const file = await open(path, 'r').catch((error) => {
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
