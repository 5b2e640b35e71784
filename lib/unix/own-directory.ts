import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ReqcastError } from '../protocol/errors.ts';

/** A directory of this user's under the temp dir. */
export function ownDirectory(): string {
  return join(tmpdir(), `reqcast-${userInfo().uid}`);
}

/**
 * Makes the directory, if it is not there, and makes sure that no other user can write into it: where anyone may
 * write, anyone may have put a directory of this name first.
 *
 * @param remedy what the user can do instead, for the message: "give a pushServer.socketPath"
 * @throws ReqcastError `SOCKET_UNSAFE`; the system's error if it cannot be made
 */
export async function claimOwnDirectory(directory: string, remedy: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(directory);
  const uid = process.getuid?.();
  if (!found.isDirectory()) throw unsafe(`${directory} is not a real directory: remove it.`);
  if (uid !== undefined && found.uid !== uid)
    throw unsafe(`${directory} belongs to user ${found.uid}, not to ${uid}: ${remedy}.`);
  if (process.platform !== 'win32' && found.mode & 0o022)
    throw unsafe(`${directory} can be written by others: chmod 700 it, or ${remedy}.`);
}

function unsafe(message: string): ReqcastError {
  return new ReqcastError('SOCKET_UNSAFE', message);
}
