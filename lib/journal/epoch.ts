import { randomBytes } from 'node:crypto';

/** A name that no epoch has had. */
export function newEpoch(): string {
  return randomBytes(6).toString('base64url');
}
