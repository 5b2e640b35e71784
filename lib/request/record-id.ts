import { randomFillSync } from 'node:crypto';

const LENGTH = 22;

/** Two ids: the least that is whole in bytes and in characters of base64url. */
const PAIR_BYTES = 33;

/** Asking for randomness costs more than all else. */
const pool = Buffer.allocUnsafeSlow(512 * PAIR_BYTES);
let drawn = pool.length;

/** So many pairs are spelled at once. Each of their ids keeps this text alive. */
const SPELLED_BYTES = 16 * PAIR_BYTES;
let ids = '';
let at = 0;

/**
 * 22 characters for 132 random bits: unique, and nobody who has seen some can tell another. The log keeps it, so it is
 * a piece of a flat string; `randomUUID` makes a chain of a dozen.
 */
export function recordId(): string {
  if (at === ids.length) spellMore();
  at += LENGTH;
  return ids.slice(at - LENGTH, at);
}

function spellMore(): void {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += SPELLED_BYTES;
  ids = pool.toString('base64url', drawn - SPELLED_BYTES, drawn);
  at = 0;
}
