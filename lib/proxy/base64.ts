/**
 * The bytes that the text stands for, or nothing if it is not base64. With or without padding, white space and the
 * URL-safe letters: what clients of websockify have been seen to send.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const letters = text.length - padding;
  const bytes = Buffer.from(text, 'base64');
  // Node leaves out what is no base64, so that the length tells: several times as fast as looking at each letter.
  const whole = letters % 4 !== 1 && bytes.length === Math.floor((letters * 3) / 4);
  if (whole && (padding === 0 || text.length % 4 === 0)) return bytes;
  const packed = text.replace(/[\t\n\f\r ]+/g, '');
  return packed.length < text.length ? decodeBase64(packed) : undefined;
}
