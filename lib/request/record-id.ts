import { randomFillSync } from 'node:crypto';

const BYTES = 16;

/** So many are drawn at once: asking for randomness costs more than an id. */
const pool = Buffer.allocUnsafeSlow(256 * BYTES);
let at = pool.length;

/**
 * 22 characters for 128 random bits: unique, and nobody who has seen some can tell another. The log keeps it, so it is
 * one flat string; `randomUUID` makes a chain of a dozen.
 */
export function recordId(): string {
  if (at === pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  at += BYTES;
  return pool.toString('base64url', at - BYTES, at);
}
