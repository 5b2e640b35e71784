/** Why we close a WebSocket, beside RFC 6455's own codes. 4000-4999 are for applications (RFC 6455, 7.4.2). */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  invalidPayload: 1007,
  tooBig: 1009,
  serverError: 1011,
  /** The client says too much at a time: connect again (registered with IANA as "Try Again Later"). */
  tryLater: 1013,
  /** A line that `reqcast.v1` does not know, or a pattern that is malformed. */
  badLine: 4400,
  /** Who the client is has to be decided again: connect again. */
  unauthorized: 4401,
  /** `since` did not come in time. */
  handshakeTimeout: 4408,
  /** Nothing passed through the tunnel for too long. */
  idle: 4410,
  /** The tunnel has carried as much, or been open as long, as it may. */
  limitReached: 4413,
  /** The reader was slower than the wire can make good: connect again. */
  tooSlow: 4429,
  /** The proxy's target failed. */
  targetFailed: 4502,
} as const;
