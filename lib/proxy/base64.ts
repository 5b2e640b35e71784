/** What a read of a socket gives at most, 64 KiB, in base64. */
const BUFFER_BYTES = Math.ceil(65_536 / 3) * 4;

/** 1.4 MB, for all tunnels together: few have bytes on their way at the same moment. */
const MAX_SPARE = 16;

const spare: Buffer[] = [];

/**
 * A buffer for so many bytes that was used before: at 64 KiB fresh memory costs five times what encoding does.
 * Nothing if they are too many for that.
 */
export function takeBuffer(bytes: number): Buffer | undefined {
  return bytes <= BUFFER_BYTES ? (spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)) : undefined;
}

/** Back, when its bytes have left. */
export function giveBuffer(buffer: Buffer | undefined): void {
  if (buffer && spare.length < MAX_SPARE) spare.push(buffer);
}

/** The bytes in base64, in `into` if that is given. */
export function encodeBase64(chunk: Buffer, into?: Buffer): Buffer {
  const text = chunk.toString('base64');
  return into ? into.subarray(0, into.write(text, 'latin1')) : Buffer.from(text, 'latin1');
}

/**
 * The bytes that the text stands for, or nothing if it is not base64. With or without padding, white space and the
 * URL-safe letters: what clients of websockify have been seen to send.
 *
 * @param into where they are put, if given; as long as the text at least
 */
export function decodeBase64(text: string, into?: Buffer): Buffer | undefined {
  const packed = text.endsWith('\n') || text.includes(' ') ? text.replace(/[\t\n\f\r ]+/g, '') : text;
  const padding = packed.endsWith('==') ? 2 : packed.endsWith('=') ? 1 : 0;
  const letters = packed.length - padding;
  const bytes = into ? into.subarray(0, into.write(packed, 'base64')) : Buffer.from(packed, 'base64');
  // Node leaves out what is no base64, so that the length tells: five times as fast as looking at each letter.
  if (
    bytes.length === Math.floor((letters * 3) / 4) &&
    letters % 4 !== 1 &&
    (padding === 0 || packed.length % 4 === 0)
  )
    return bytes;
  const bare = text.replace(/[\t\n\f\r ]+/g, '');
  return bare.length < packed.length ? decodeBase64(bare, into) : undefined;
}
