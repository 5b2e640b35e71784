/** What a read of a socket gives at most, 64 KiB, in base64. */
const ENCODED_BYTES = Math.ceil(65_536 / 3) * 4;

/** No more are in use at a time by a tunnel whose client reads. */
const MAX_SPARE = 4;

/**
 * The bytes that the text stands for, or nothing if it is not base64. With or without padding, white space and the
 * URL-safe letters: what clients of websockify have been seen to send.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const packed = text.endsWith('\n') || text.includes(' ') ? text.replace(/[\t\n\f\r ]+/g, '') : text;
  const padding = packed.endsWith('==') ? 2 : packed.endsWith('=') ? 1 : 0;
  const letters = packed.length - padding;
  const bytes = Buffer.from(packed, 'base64');
  // Node leaves out what is no base64, so that the length tells: five times as fast as looking at each letter.
  if (
    bytes.length === Math.floor((letters * 3) / 4) &&
    letters % 4 !== 1 &&
    (padding === 0 || packed.length % 4 === 0)
  )
    return bytes;
  const bare = text.replace(/[\t\n\f\r ]+/g, '');
  return bare.length < packed.length ? decodeBase64(bare) : undefined;
}

/**
 * Encodes into buffers that are used again: at 64 KiB fresh memory costs more than the encoding. `done` gives a
 * buffer back, once its bytes have left.
 */
export class Base64Encoder {
  readonly #spare: Buffer[] = [];

  encode(chunk: Buffer): { readonly bytes: Buffer; done(): void } {
    const text = chunk.toString('base64');
    if (text.length > ENCODED_BYTES) return { bytes: Buffer.from(text, 'latin1'), done() {} };
    const buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(ENCODED_BYTES);
    const bytes = buffer.subarray(0, buffer.latin1Write(text, 0));
    return {
      bytes,
      done: () => {
        if (this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
      },
    };
  }
}
