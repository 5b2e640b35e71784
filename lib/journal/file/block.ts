import { hasOtherSpellings, type LineTest } from '../spelling.ts';

/** A piece of a file: whole lines, or what is only a part of one. */
export interface Block {
  /** Where it begins in the file. */
  readonly start: number;
  /** Lines with newlines between them; nothing for one that is longer than any entry. */
  readonly bytes: Buffer | undefined;
  /** Whether a newline follows. Without one, it is what follows the last newline of the file. */
  readonly terminated: boolean;
}

/**
 * The lines of a block, last one first, without empty ones. Nothing for one that is longer than any entry.
 *
 * @param isWorthParsing others are left out; asked for each line when it is its turn
 */
export function* linesOf({ bytes }: Block, isWorthParsing?: LineTest): Generator<string | undefined> {
  if (!bytes) yield undefined;
  else if (!isWorthParsing || hasOtherSpellings(bytes)) yield* allLines(bytes);
  else {
    let end = bytes.length;
    for (const line of bytes.toString('latin1').split('\n').reverse()) {
      const start = end - line.length;
      if (line !== '' && isWorthParsing(line)) yield bytes.toString('utf8', start, end);
      end = start - 1;
    }
  }
}

function* allLines(bytes: Buffer): Generator<string> {
  for (const line of bytes.toString().split('\n').reverse()) if (line !== '') yield line;
}
