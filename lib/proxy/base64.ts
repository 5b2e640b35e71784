/**
 * The bytes that the text stands for, or nothing if it is not base64. With or without padding, white space and the
 * URL-safe letters: what clients of websockify have been seen to send.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const packed = /[\t\n\f\r ]/.test(text) ? text.replace(/[\t\n\f\r ]+/g, '') : text;
  const padding = packed.endsWith('==') ? 2 : packed.endsWith('=') ? 1 : 0;
  const letters = padding ? packed.slice(0, -padding) : packed;
  // Searching for what must not be there, not matching the whole: a match of 16 MB overflows the regex's stack.
  if (/[^\w+/-]/.test(letters) || letters.length % 4 === 1) return undefined;
  if (padding && packed.length % 4 !== 0) return undefined;
  return Buffer.from(letters, 'base64');
}
