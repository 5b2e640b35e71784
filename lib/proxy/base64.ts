/** How much goes through a string at once: one of more than 128 KiB has pages of its own, at ten times the cost. */
const PIECE_BYTES = 12 * 1024;
const PIECE_LETTERS = (PIECE_BYTES / 3) * 4;

/** How many letters stand for so many bytes. */
export function lettersOf(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** Writes the letters for the bytes, as many as `lettersOf` says. */
export function encodeBase64(bytes: Buffer, into: Buffer): void {
  for (let from = 0, to = 0; from < bytes.length; from += PIECE_BYTES)
    to += into.write(bytes.toString('base64', from, from + PIECE_BYTES), to, 'latin1');
}

/**
 * The bytes that the letters stand for, or nothing if they are not base64. With or without padding, white space and
 * the URL-safe letters: what clients of websockify have been seen to send.
 */
export function decodeBase64(letters: Buffer): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(Math.ceil((letters.length * 3) / 4));
  let from = 0;
  let to = 0;
  for (; letters.length - from > PIECE_LETTERS; from += PIECE_LETTERS) {
    const piece = bytes.write(letters.toString('latin1', from, from + PIECE_LETTERS), to, 'base64');
    if (piece < PIECE_BYTES) return decodeText(letters.toString('latin1'));
    to += piece;
  }
  const rest = decodeText(letters.toString('latin1', from));
  return rest && bytes.subarray(0, to + rest.copy(bytes, to));
}

function decodeText(text: string): Buffer | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const letters = text.length - padding;
  const bytes = Buffer.from(text, 'base64');
  // Node leaves out what is no base64, so that the length tells: several times as fast as looking at each letter.
  const whole = letters % 4 !== 1 && bytes.length === Math.floor((letters * 3) / 4);
  if (whole && (padding === 0 || text.length % 4 === 0)) return bytes;
  const packed = text.replace(/[\t\n\f\r ]+/g, '');
  return packed.length < text.length ? decodeText(packed) : undefined;
}
