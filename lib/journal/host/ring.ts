import type { Position } from '../../protocol/position.ts';
import type { Entry } from '../entry.ts';
import { formatLine } from '../line.ts';

/** No more than this of lines is kept, however many entries that is. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** One write is about so much: enough to be fast, and what a reader that stalls costs. */
const MAX_PIECE_CHARACTERS = 64 * 1024;

/** Lines that leave together, and how far they take their reader. */
export interface Piece {
  readonly bytes: Buffer;
  readonly reached: number;
}

/** The newest entries of one epoch, as lines. That of the entry with offset `n` is at `n % capacity`. */
export class Ring {
  readonly #capacity: number;
  #lines: string[] = [];
  #characters = 0;
  #epoch = '';
  #head = 0;
  #floor = 0;
  /** The last one that was made, for all who keep up are given the same. */
  #made: { readonly from: number; readonly piece: Piece } | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get position(): Position {
    return { epoch: this.#epoch, offset: this.#head };
  }

  /** The oldest offset from which all that follows is here. */
  get floor(): number {
    return this.#floor;
  }

  reset({ epoch, offset }: Position): void {
    this.#epoch = epoch;
    this.#head = offset;
    this.#floor = offset;
    this.#lines = [];
    this.#characters = 0;
    this.#made = undefined;
  }

  push({ offset, ...draft }: Entry): void {
    const line = formatLine(this.#epoch, offset, JSON.stringify(draft));
    while (this.#head - this.#floor >= this.#capacity || this.#characters > MAX_CHARACTERS) this.#forget();
    this.#lines[offset % this.#capacity] = line;
    this.#characters += line.length;
    this.#head = offset;
    this.#made = undefined;
  }

  #forget(): void {
    const slot = ++this.#floor % this.#capacity;
    this.#characters -= (this.#lines[slot] as string).length;
    this.#lines[slot] = '';
  }

  /** What follows the offset, which must be between floor and head, as far as one piece goes. */
  piece(from: number): Piece {
    if (this.#made?.from === from) return this.#made.piece;
    let text = '';
    let reached = from;
    while (reached < this.#head && text.length < MAX_PIECE_CHARACTERS)
      text += this.#lines[++reached % this.#capacity];
    const piece = { bytes: Buffer.from(text), reached };
    this.#made = { from, piece };
    return piece;
  }
}
