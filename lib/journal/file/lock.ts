import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { ReqcastError } from '../../protocol/errors.ts';
import { bind } from '../../unix/bind.ts';
import { claim } from '../../unix/claim.ts';
import { claimOwnDirectory, ownDirectory } from '../../unix/own-directory.ts';
import { fitsSocketPath } from '../../unix/socket-path.ts';

/** Who has the lock says its process id at once, unless its event loop is blocked. */
const PID_TIMEOUT_MS = 500;

const REMEDY = 'give the journal another path';

/**
 * Makes sure that no other journal, of this process or another of this host, writes the file at `path`. The lock is a
 * UNIX socket beside the file, for the kernel knows at any moment whether somebody listens: nobody else than the
 * living has it. Where none can be beside the file, it is in a directory of the user's.
 *
 * @param path without symbolic links
 * @returns the undo
 * @throws ReqcastError `JOURNAL_OPEN_FAILED` if another has it; another error if there can be no lock
 */
export async function lock(path: string): Promise<() => void> {
  const name = createHash('sha256').update(path).digest('base64url').slice(0, 16);
  if (process.platform === 'win32') return lockPipe(path, `\\\\.\\pipe\\reqcast-${name}`);
  const beside = `${path}.lock`;
  try {
    if (fitsSocketPath(beside)) return await lockAt(path, beside);
  } catch (error) {
    if (error instanceof ReqcastError) throw error;
    // The directory cannot be written, or its file system has no sockets.
  }
  await claimOwnDirectory(ownDirectory(), REMEDY);
  return lockAt(path, join(ownDirectory(), `${name}.lock`));
}

async function lockAt(path: string, at: string): Promise<() => void> {
  const server = pidServer();
  try {
    await claim(at, REMEDY);
    // Also for other users: who may not connect cannot tell the living from the dead.
    const bound = await bind(server, at, 0o666);
    return () => {
      bound.release();
      server.close();
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'SOCKET_IN_USE' || code === 'EEXIST' ? await taken(path, at) : error;
  }
}

function lockPipe(path: string, pipe: string): Promise<() => void> {
  const server = pidServer();
  return new Promise((resolve, reject) => {
    server.once('error', async (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? await taken(path, pipe) : error),
    );
    server.listen({ path: pipe, exclusive: true }, () => resolve(() => server.close()));
  });
}

/** Tells each that knocks who has the lock. It never keeps the process alive. */
function pidServer(): Server {
  return createServer((stream) => {
    stream.unref().on('error', () => {});
    stream.end(`${process.pid}\n`, () => stream.destroy());
  }).unref();
}

async function taken(path: string, at: string): Promise<ReqcastError> {
  const pid = await askPid(at);
  const who = pid === process.pid ? 'this process itself' : `another process${pid ? ` (pid ${pid})` : ''}`;
  return new ReqcastError(
    'JOURNAL_OPEN_FAILED',
    `The journal ${path} is open in ${who}, and one at a time writes it: close that one first, share it with hostJournal, or ${REMEDY}.`,
  );
}

function askPid(at: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect(at);
    let text = '';
    const end = () => {
      socket.destroy();
      resolve(Number.parseInt(text, 10) || undefined);
    };
    socket.setTimeout(PID_TIMEOUT_MS, end);
    socket.on('error', end).on('close', end);
    socket.on('data', (data) => {
      text = `${text}${data}`.slice(0, 16);
    });
  });
}
