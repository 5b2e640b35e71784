import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** What rotation adds to the path: a number, or a date as of logrotate's `dateext`. */
const NUMBERED = /^\.(\d{1,9})$/;
const DATED = /^-(\d{8}[\d-]{0,16})$/;

/**
 * The files that rotation left beside the journal, newest first, opened one after another. A rotation meanwhile makes
 * a file appear again under the next name, and none is left out.
 */
export async function* keptFiles(path: string): AsyncGenerator<FileHandle> {
  for (let name = ''; ; ) {
    const next = (await suffixes(path).catch(hidden)).find((other) => compare(other, name) > 0);
    if (next === undefined) return;
    name = next;
    const file = await open(path + name, 'r').catch((error) => {
      // Renamed just now.
      if (error.code !== 'ENOENT') throw error;
    });
    try {
      if (file) yield file;
    } finally {
      await file?.close();
    }
  }
}

/**
 * Renames `path` to `path.1`, that to `path.2` and so on, and removes what is beyond `keep`. A number that is free, as
 * a crash in the middle of this leaves one, is where the renaming ends: nothing is lost by it.
 *
 * @throws the system's error; the file at `path` is then still there, unless removing failed
 */
export async function rotate(path: string, keep: number): Promise<void> {
  const numbers = (await suffixes(path)).flatMap((name) => NUMBERED.exec(name)?.[1] ?? []).map(Number);
  let free = 1;
  while (free < keep && numbers.includes(free)) free++;
  for (let n = free; n > 1; n--) await rename(`${path}.${n - 1}`, `${path}.${n}`);
  await rename(path, `${path}.1`);
  for (const n of numbers) if (n > keep) await rm(`${path}.${n}`, { force: true });
}

/** A directory that may not be listed hides them. What else prevents it must not be taken for their absence. */
function hidden(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'EACCES' || error.code === 'ENOENT') return [];
  throw error;
}

/**
 * What follows the path in the names of the kept files, newest first.
 *
 * @throws the system's error
 */
async function suffixes(path: string): Promise<string[]> {
  const files = await readdir(dirname(path), { withFileTypes: true });
  const start = basename(path);
  return files
    .filter((file) => file.name.startsWith(start) && !file.isDirectory())
    .map((file) => file.name.slice(start.length))
    .filter((suffix) => NUMBERED.test(suffix) || DATED.test(suffix))
    .sort(compare);
}

/** The file at the path itself, with nothing added, comes first; then numbers, lower first; then dates, later first. */
function compare(a: string, b: string): number {
  const [x, y] = [a, b].map((suffix) => NUMBERED.exec(suffix)?.[1]);
  if (a === '' || b === '') return a.length - b.length;
  if (x !== undefined && y !== undefined) return Number(x) - Number(y);
  if (x !== undefined || y !== undefined) return x !== undefined ? -1 : 1;
  return a < b ? 1 : a > b ? -1 : 0;
}
