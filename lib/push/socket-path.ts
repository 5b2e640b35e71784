import { mkdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { ReqcastError } from '../protocol/errors.ts';
import { claim, inUse } from '../unix/claim.ts';
import { claimOwnDirectory, ownDirectory } from '../unix/own-directory.ts';
import { MAX_SOCKET_PATH_BYTES } from '../unix/socket-path.ts';

export { MAX_SOCKET_PATH_BYTES };

/** What the user can do about a path that is refused. */
export const REMEDY = 'give another pushServer.socketPath';

const NAME = 'woknotifications';

/** `$XDG_RUNTIME_DIR/woknotifications`, else in a directory of the user's own under the temp dir. */
export function defaultSocketPath(): string {
  const runtimeDir = process.env.XDG_RUNTIME_DIR;
  // The XDG base directory specification has a relative path ignored.
  return join(runtimeDir && isAbsolute(runtimeDir) ? runtimeDir : ownDirectory(), NAME);
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
  if (path === defaultSocketPath())
    await claimOwnDirectory(directory, REMEDY).catch((cause) => {
      throw cause instanceof ReqcastError ? cause : unbindable(path, cause);
    });
  else await claimGivenDirectory(directory);
  await claim(path, REMEDY).catch((cause) => {
    if (cause instanceof ReqcastError) throw cause;
    throw inUse(path, REMEDY, 'nobody listens, but it cannot be removed', cause);
  });
}

/** The system does not let us. */
export function unbindable(path: string, cause: NodeJS.ErrnoException): ReqcastError {
  return invalid(
    `No socket can be bound at ${path} (${cause.code}): choose another pushServer.socketPath.`,
    cause,
  );
}

async function claimGivenDirectory(directory: string): Promise<void> {
  let found = await stat(directory).catch(() => undefined);
  if (!found) {
    await make(directory);
    found = await stat(directory);
  }
  if (!found.isDirectory()) throw invalid(`Option socketPath is in ${directory}, which is not a directory.`);
}

async function make(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw invalid(`The directory ${directory} of option socketPath cannot be made: make it.`, cause);
  }
}

function invalid(message: string, cause?: unknown): ReqcastError {
  return new ReqcastError('INVALID_OPTION', message, { cause });
}
