/** What a whole, unmasked WebSocket frame carries (RFC 6455, 5.2). */
export function payloadOf(frame: Buffer): string {
  const length = frame[1] as number;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10).toString();
}
