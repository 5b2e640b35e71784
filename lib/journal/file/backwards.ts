import type { FileHandle } from 'node:fs/promises';
import { MAX_LINE_BYTES } from '../line.ts';

/** How much is read at a time: many lines, and little for the event loop to parse in one go. */
export const CHUNK_BYTES = 64 * 1024;

const NEWLINE = 10;

export interface RawLine {
  /** Where it begins in the file. */
  readonly start: number;
  /** Without its newline; nothing if it is longer than any entry. */
  readonly text: string | undefined;
  /** False for what follows the last newline. */
  readonly terminated: boolean;
}

/** The lines of the file's first `size` bytes, last one first, in groups: one chunk of the file is in memory. */
export async function* linesBackwards(file: FileHandle, size: number): AsyncGenerator<RawLine[]> {
  const open = new OpenLine();
  let terminated = false;
  for (let at = size; at > 0; ) {
    const start = Math.max(0, at - CHUNK_BYTES);
    const chunk = await readAt(file, start, at - start);
    // The file became shorter: what we were reading is gone.
    if (chunk.length < at - start) return;
    const lines: RawLine[] = [];
    let end = chunk.length;
    while (end > 0) {
      const newline = chunk.lastIndexOf(NEWLINE, end - 1);
      if (newline < 0) break;
      open.prepend(chunk.subarray(newline + 1, end));
      lines.push({ start: start + newline + 1, text: open.take(), terminated });
      terminated = true;
      end = newline;
    }
    open.prepend(chunk.subarray(0, end));
    if (start === 0) lines.push({ start, text: open.take(), terminated });
    at = start;
    yield lines.filter(({ text }) => text !== '');
  }
}

/** A line whose beginning has not been read yet. */
class OpenLine {
  #pieces: Buffer[] = [];
  #bytes = 0;

  prepend(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > MAX_LINE_BYTES) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  take(): string | undefined {
    // Decoded as a whole, for a character may lie across two chunks.
    const text = this.#bytes > MAX_LINE_BYTES ? undefined : Buffer.concat(this.#pieces.reverse()).toString();
    this.#pieces = [];
    this.#bytes = 0;
    return text;
  }
}

async function readAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
