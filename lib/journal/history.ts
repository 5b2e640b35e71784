import { type FileHandle, open } from 'node:fs/promises';
import { ReqcastError } from '../protocol/errors.ts';
import { linesBackwards } from './backwards.ts';
import type { Entry } from './entry.ts';
import { parseLine } from './line.ts';

/**
 * The entries of the file as it is at the first pull, newest first.
 *
 * @param onCorrupt called once if there is a line that is no entry; such lines are left out
 */
export async function* readHistory(path: string, onCorrupt: () => void): AsyncGenerator<Entry> {
  let file: FileHandle | undefined;
  let corrupt = false;
  try {
    file = await open(path, 'r');
    for await (const lines of linesBackwards(file, (await file.stat()).size)) {
      for (const { text, terminated } of lines) {
        // What has no end yet is being written just now.
        if (!terminated) continue;
        const entry = text === undefined ? undefined : parseLine(text)?.entry;
        if (entry) {
          yield entry;
          continue;
        }
        if (!corrupt) onCorrupt();
        corrupt = true;
      }
    }
  } catch (cause) {
    // Renamed away, and nothing was written since.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    const message = `The journal cannot be read from ${path}: ${(cause as Error).message}. Check that it is a file that this process may read.`;
    throw new ReqcastError('JOURNAL_READ_FAILED', message, { cause });
  } finally {
    await file?.close();
  }
}
