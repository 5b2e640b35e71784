/** Below so many bytes a view of words costs more than it saves. */
const FEW_BYTES = 32;

/**
 * The mask of one frame (RFC 6455, 5.3), taken off piece by piece, in place and a word at a time: 130 µs for each MB,
 * where `ws` takes 1600, byte by byte.
 */
export class Mask {
  readonly #mask = new Uint8Array(4);
  /** As it lies over a word, which begins anywhere in the payload. */
  readonly #turned = new Uint8Array(4);
  readonly #word = new Int32Array(this.#turned.buffer);
  /** How much of the payload it has been taken off. */
  #at = 0;

  /** The mask of the next frame. */
  set(bytes: Uint8Array): void {
    this.#mask.set(bytes);
    this.#at = 0;
  }

  takeOff(piece: Buffer): void {
    const mask = this.#mask;
    const at = this.#at;
    const { length } = piece;
    const aligned = length < FEW_BYTES ? length : -piece.byteOffset & 3;
    const words = (length - aligned) >> 2;
    for (let i = 0; i < aligned; i++) (piece[i] as number) ^= mask[(at + i) & 3] as number;
    if (words > 0) {
      for (let i = 0; i < 4; i++) this.#turned[i] = mask[(at + aligned + i) & 3] as number;
      xor(new Int32Array(piece.buffer, piece.byteOffset + aligned, words), this.#word[0] as number);
    }
    for (let i = aligned + words * 4; i < length; i++) (piece[i] as number) ^= mask[(at + i) & 3] as number;
    this.#at = at + length;
  }
}

/** Eight at a time: half the time of one by one. */
function xor(words: Int32Array, key: number): void {
  let i = 0;
  for (const most = words.length - 7; i < most; i += 8) {
    (words[i] as number) ^= key;
    (words[i + 1] as number) ^= key;
    (words[i + 2] as number) ^= key;
    (words[i + 3] as number) ^= key;
    (words[i + 4] as number) ^= key;
    (words[i + 5] as number) ^= key;
    (words[i + 6] as number) ^= key;
    (words[i + 7] as number) ^= key;
  }
  for (; i < words.length; i++) (words[i] as number) ^= key;
}
