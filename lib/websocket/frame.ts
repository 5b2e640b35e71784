import { FINAL, frameInPlace, HEADER_BYTES } from '../protocol/frame.ts';

/** A whole, unmasked text message as the server sends it. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const room = Buffer.allocUnsafe(HEADER_BYTES + length);
  room.write(text, HEADER_BYTES);
  return frameInPlace(room, length, FINAL.text);
}
