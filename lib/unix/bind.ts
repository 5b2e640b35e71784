import { chmodSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import createDebug from 'debug';
import { hiddenName } from './socket-path.ts';

const debug = createDebug('reqcast:unix');

/** A socket's name. */
export interface Bound {
  /** Takes the name away, if it is still the socket's own. To do before the server closes; idempotent. */
  release(): void;
}

/**
 * Lets `server` listen at `path`, where nothing may be: `claim` it first. Of many that bind at once one gets it.
 *
 * Binds under a hidden name and then links that to the real one. Linking fails if somebody was faster; and libuv,
 * which at the end unlinks the name that it bound, whoever has it by then, cannot hit another's socket.
 *
 * @param mode the permissions of the socket
 * @throws the system's error; `EEXIST` if there is something
 */
export function bind(server: Server, path: string, mode: number): Promise<Bound> {
  const hidden = hiddenName(path);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      try {
        resolve(publish(hidden, path, mode));
      } catch (error) {
        server.close();
        reject(error);
      }
    });
    // A worker thread may not set the umask, which is the process's: chmod, before the real name exists.
    const mask = isMainThread ? process.umask(0o777 & ~mode) : undefined;
    try {
      // Exclusive: bound here and now, by this process, in a cluster's worker too.
      server.listen({ path: hidden, exclusive: true });
    } finally {
      if (mask !== undefined) process.umask(mask);
    }
  });
}

function publish(hidden: string, path: string, mode: number): Bound {
  if (!isMainThread) chmodSync(hidden, mode);
  const { dev, ino } = lstatSync(hidden, { bigint: true });
  try {
    linkSync(hidden, path);
    unlinkSync(hidden);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    // Some file systems have no hard links.
    renameSync(hidden, path);
  }
  return {
    release: () => {
      const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (there?.ino !== ino || there.dev !== dev) return;
      try {
        unlinkSync(path);
      } catch (error) {
        debug('%s stays: %o', path, error);
      }
    },
  };
}
