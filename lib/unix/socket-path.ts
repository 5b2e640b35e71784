import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

/** `sun_path` has 108 bytes on Linux and 104 elsewhere, the last of them a zero. */
export const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** A name beside `path` that nobody else has. Shorter than most, so that it seldom counts against the limit. */
export function hiddenName(path: string): string {
  return join(dirname(path), `.${randomBytes(6).toString('base64url')}`);
}

/** Whether a socket can be bound at `path`, by way of a hidden name, as far as the lengths go. */
export function fitsSocketPath(path: string): boolean {
  return [path, hiddenName(path)].every((name) => Buffer.byteLength(name) <= MAX_SOCKET_PATH_BYTES);
}
