import { type BigIntStats, lstatSync, unlinkSync } from 'node:fs';
import { lstat, mkdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { ReqcastError } from '../protocol/errors.ts';

/** `sun_path` has 108 bytes on Linux and 104 elsewhere, the last of them a zero. */
export const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

const NAME = 'woknotifications';

/** `$XDG_RUNTIME_DIR/woknotifications`, else in a directory of the user's own under the temp dir. */
export function defaultSocketPath(): string {
  const runtimeDir = process.env.XDG_RUNTIME_DIR;
  // The XDG base directory specification has a relative path ignored.
  if (runtimeDir && isAbsolute(runtimeDir)) return join(runtimeDir, NAME);
  return join(tmpdir(), `reqcast-${userInfo().uid}`, NAME);
}

/** @throws ReqcastError `INVALID_OPTION` */
export function assertSocketPath(path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '' || path.includes('\0'))
    throw invalid(`Option socketPath is ${JSON.stringify(path)}; it must be the path of a UNIX socket.`);
  const length = Buffer.byteLength(path);
  if (length > MAX_SOCKET_PATH_BYTES)
    throw invalid(
      `Option socketPath has ${length} bytes; a UNIX socket's path has at most ${MAX_SOCKET_PATH_BYTES}: choose a ` +
        `shorter one than ${path}.`,
    );
}

/**
 * Makes sure that a socket may be bound at `path`: its directory is there (made with mode 0700 if not), and nothing
 * is in the way but perhaps a socket that nobody listens on, which is removed. Anything else is left untouched.
 *
 * @throws ReqcastError `INVALID_OPTION`, `SOCKET_UNSAFE` or `SOCKET_IN_USE`
 */
export async function claimSocketPath(path: string): Promise<void> {
  assertSocketPath(path);
  const directory = dirname(path);
  if (path === defaultSocketPath()) await claimOwnDirectory(directory);
  else await claimGivenDirectory(directory);

  const there = look(path);
  if (!there) return;
  if (!there.isSocket()) {
    const what = there.isSymbolicLink() ? 'a symbolic link' : 'not a socket';
    throw unsafe(`${path} is there and is ${what}: remove it yourself or choose another socketPath.`);
  }
  const problem = await probe(path);
  if (problem === 'ENOENT') return;
  if (problem !== 'ECONNREFUSED') throw inUse(path, problem);
  removeStale(path, there);
}

/** Somebody has the path. */
export function inUse(path: string, why?: string, cause?: unknown): ReqcastError {
  return new ReqcastError(
    'SOCKET_IN_USE',
    `${path} is in use${why ? ` (${why})` : ''}: end the process that listens there, or give another ` +
      'pushServer.socketPath.',
    { cause },
  );
}

/** Where anyone may write, anyone may have put a directory of this name first. */
async function claimOwnDirectory(directory: string): Promise<void> {
  await make(directory, true);
  const found = await lstat(directory);
  const uid = process.getuid?.();
  if (!found.isDirectory()) throw unsafe(`${directory} is not a real directory: remove it.`);
  if (uid !== undefined && found.uid !== uid)
    throw unsafe(`${directory} belongs to user ${found.uid}, not to ${uid}: give a pushServer.socketPath.`);
  if (process.platform !== 'win32' && found.mode & 0o022)
    throw unsafe(`${directory} can be written by others: chmod 700 it, or give a pushServer.socketPath.`);
}

async function claimGivenDirectory(directory: string): Promise<void> {
  let found = await stat(directory).catch(() => undefined);
  if (!found) {
    await make(directory, false);
    found = await stat(directory);
  }
  if (!found.isDirectory()) throw invalid(`Option socketPath is in ${directory}, which is not a directory.`);
}

async function make(directory: string, recursive: boolean): Promise<void> {
  try {
    await mkdir(directory, { recursive, mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw invalid(`The directory ${directory} of option socketPath cannot be made: make it.`, cause);
  }
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

/** Another process may have been faster and listen there by now. */
function removeStale(path: string, stale: BigIntStats): void {
  const there = look(path);
  if (!there) return;
  if (there.ino !== stale.ino || there.dev !== stale.dev || there.ctimeNs !== stale.ctimeNs)
    throw inUse(path);
  try {
    unlinkSync(path);
  } catch (cause) {
    throw inUse(path, 'nobody listens, but it cannot be removed', cause);
  }
}

function invalid(message: string, cause?: unknown): ReqcastError {
  return new ReqcastError('INVALID_OPTION', message, { cause });
}

function unsafe(message: string): ReqcastError {
  return new ReqcastError('SOCKET_UNSAFE', message);
}
