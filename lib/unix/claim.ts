import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { ReqcastError } from '../protocol/errors.ts';
import { bind } from './bind.ts';

/** How connecting fails where nobody listens; the latter if who did ended before it took the connection in. */
export const NOBODY_LISTENS = ['ECONNREFUSED', 'ECONNRESET'];

/**
 * Makes sure that a socket may be bound at `path`: nothing is in the way but perhaps a socket that nobody listens
 * on, as a killed process leaves it, which is removed. Anything else is left untouched.
 *
 * @param remedy what the user can do instead, for the message: "give another pushServer.socketPath"
 * @throws ReqcastError `SOCKET_UNSAFE` or `SOCKET_IN_USE`; the system's error if a dead socket cannot be removed
 */
export async function claim(path: string, remedy: string): Promise<void> {
  const there = look(path);
  if (!there) return;
  if (!there.isSocket()) {
    const what = there.isSymbolicLink() ? 'a symbolic link' : 'not a socket';
    throw new ReqcastError(
      'SOCKET_UNSAFE',
      `${path} is there and is ${what}: remove it yourself, or ${remedy}.`,
    );
  }
  const problem = await probe(path);
  if (problem === 'ENOENT') return;
  if (!problem || !NOBODY_LISTENS.includes(problem)) throw inUse(path, remedy, problem);
  await removeStale(path, there, remedy);
}

/** Somebody has the path. */
export function inUse(path: string, remedy: string, why?: string, cause?: unknown): ReqcastError {
  const reason = why ? ` (${why})` : '';
  const message = `${path} is in use${reason}: end the process that listens there, or ${remedy}.`;
  return new ReqcastError('SOCKET_IN_USE', message, { cause });
}

function look(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** The error code with which connecting fails; nothing if somebody answers. */
function probe(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/**
 * Looking and removing are two steps, between which another process may do both and bind its own: so only who has
 * the guard does them, a socket too. (Without it, of six processes that start at once two win in one of a hundred
 * times.) A guard that its process left behind is removed in the same way.
 */
async function removeStale(path: string, stale: BigIntStats, remedy: string): Promise<void> {
  const guard = guardName(path);
  const server = createServer((stream) => stream.destroy()).unref();
  const bound = await claim(guard, remedy)
    .then(() => bind(server, guard, 0o666))
    .catch((cause) => {
      const taken = cause.code === 'SOCKET_IN_USE' || cause.code === 'EEXIST';
      throw taken ? inUse(path, remedy, 'another takes it over just now', cause) : cause;
    });
  try {
    const there = look(path);
    if (there && !isSame(there, stale)) throw inUse(path, remedy);
    if (there) unlinkSync(path);
  } finally {
    bound.release();
    server.close();
  }
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.ctimeNs === b.ctimeNs;
}

/** One for each path, as short as a hidden name. */
function guardName(path: string): string {
  return join(dirname(path), `.${createHash('sha256').update(path).digest('base64url').slice(0, 8)}`);
}
