import type { FileHandle } from 'node:fs/promises';
import { MAX_LINE_BYTES } from '../line.ts';
import type { Block } from './block.ts';

/** How much is read first: enough for a page of the log. */
const FIRST_BYTES = 64 * 1024;

/** How much is read at a time then: each read costs a turn, and its lines are parsed in one go. */
const CHUNK_BYTES = 128 * 1024;

const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

/** The file's first `size` bytes, last ones first; one chunk of the file, or one line, is in memory. */
export async function* blocksBackwards(file: FileHandle, size: number): AsyncGenerator<Block> {
  /** The end of a line whose beginning has not been read yet. */
  let rest: Buffer = NOTHING;
  let terminated = false;
  let tooLong = false;
  let length = FIRST_BYTES;
  for (let at = size; at > 0; length = CHUNK_BYTES) {
    const start = Math.max(0, at - length);
    const bytes = await readBefore(rest, file, start, at - start);
    // The file became shorter: what we were reading is gone.
    if (!bytes) return;
    at = start;
    const first = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    if (start > 0 && first === 0) {
      tooLong ||= bytes.length > MAX_LINE_BYTES;
      rest = tooLong ? NOTHING : bytes;
      continue;
    }
    let end = bytes.length;
    if (tooLong || !terminated) {
      const last = bytes.lastIndexOf(NEWLINE) + 1;
      const line = tooLong ? undefined : bytes.subarray(last);
      if (line?.length !== 0) yield { start: start + last, bytes: line, terminated };
      tooLong = false;
      terminated = true;
      end = last - 1;
    }
    if (first < end) yield { start: start + first, bytes: bytes.subarray(first, end), terminated };
    rest = bytes.subarray(0, Math.max(0, first - 1));
  }
}

/** A piece of the file, and after it `rest`; nothing if the file does not reach that far. */
async function readBefore(
  rest: Buffer,
  file: FileHandle,
  start: number,
  length: number,
): Promise<Buffer | undefined> {
  const buffer = Buffer.allocUnsafe(length + rest.length);
  rest.copy(buffer, length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, start + filled);
    if (bytesRead === 0) return undefined;
    filled += bytesRead;
  }
  return buffer;
}
