/** Joins the pieces of a stream, cut anywhere, to lines. */
export class LineReader {
  readonly #most: number;
  #open: Buffer[] = [];
  #bytes = 0;

  /** @param most a line has at most so many bytes */
  constructor(most: number) {
    this.#most = most;
  }

  /** The lines that this piece completes, without empty ones; nothing once a line is too long. */
  push(piece: Buffer): string[] | undefined {
    const end = piece.lastIndexOf(10);
    if (this.#bytes + (end < 0 ? piece.length : piece.indexOf(10)) > this.#most) return undefined;
    if (end < 0) {
      this.#keep(piece);
      return [];
    }
    // Decoded as a whole, for a character may lie across two pieces.
    const text = Buffer.concat([...this.#open, piece.subarray(0, end)]).toString();
    this.#open = [];
    this.#bytes = 0;
    this.#keep(piece.subarray(end + 1));
    return text.split('\n').filter((line) => line !== '');
  }

  #keep(rest: Buffer): void {
    if (rest.length > 0) this.#open.push(rest);
    this.#bytes += rest.length;
  }
}
