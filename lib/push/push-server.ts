import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join, resolve as resolvePath } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import createDebug from 'debug';
import { ReqcastError } from '../protocol/errors.ts';
import { assertSocketPath, claimSocketPath, defaultSocketPath, inUse } from './socket-path.ts';

const debug = createDebug('reqcast:push');

/** Each peer holds a file descriptor, and a process has not many more of them by default. */
const MAX_PEERS = 1024;

export interface PushServerSettings {
  /** @default defaultSocketPath() */
  socketPath?: string;
  /** The permissions of the socket. @default 0o600 */
  mode?: number;
  /** How long `close` waits for peers to go, in milliseconds. @default 2000 */
  closeTimeoutMs?: number;
  /** More peers than these are refused. @default 1024 */
  maxPeers?: number;
}

/** The feed on a UNIX socket. It never keeps the process alive. */
export interface PushServer {
  /** Absolute. */
  readonly socketPath: string;
  /**
   * Resolves when peers can connect. Called again, gives the same promise.
   *
   * @throws ReqcastError `INVALID_OPTION`, `SOCKET_UNSAFE`, `SOCKET_IN_USE`; `CLOSED` after `close`
   */
  open(): Promise<void>;
  /** Takes the socket away, if it is still its own, and ends the peers. Idempotent; whatever became of `open`. */
  close(): Promise<void>;
}

/**
 * Makes a push server that hands each peer's stream to `peer`. What peers send is dropped, and their errors are too.
 *
 * @throws ReqcastError `INVALID_OPTION`
 */
export function pushServer(options: PushServerSettings, peer: (stream: Socket) => void): PushServer {
  const { socketPath, mode = 0o600, closeTimeoutMs = 2000, maxPeers = MAX_PEERS } = options;
  if (socketPath !== undefined) assertSocketPath(socketPath);
  assertWhole('mode', mode, 0, 0o777);
  assertWhole('closeTimeoutMs', closeTimeoutMs, 0, 2 ** 31 - 1);
  assertWhole('maxPeers', maxPeers, 1, 2 ** 31 - 1);
  const path = resolvePath(socketPath ?? defaultSocketPath());
  assertSocketPath(hiddenName(path));
  assertSocketPath(path);
  return new UnixPushServer({ socketPath: path, mode, closeTimeoutMs, maxPeers }, peer);
}

class UnixPushServer implements PushServer {
  readonly socketPath: string;
  readonly #settings: Required<PushServerSettings>;
  readonly #server: Server;
  readonly #peers = new Set<Socket>();
  #bound: { dev: bigint; ino: bigint } | undefined;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: Required<PushServerSettings>, peer: (stream: Socket) => void) {
    this.socketPath = settings.socketPath;
    this.#settings = settings;
    this.#server = createServer((stream) => this.#admit(stream, peer)).unref();
    this.#server.maxConnections = settings.maxPeers;
    this.#server.on('drop', () => debug('refused a peer: there are %d', settings.maxPeers));
  }

  open(): Promise<void> {
    if (this.#closing) return Promise.reject(new ReqcastError('CLOSED', 'The push server is closed.'));
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    await claimSocketPath(this.socketPath);
    await this.#listen();
    this.#server.on('error', (error) => debug('%s', error.message));
  }

  /**
   * Binds under a hidden name and then links that to the real one. Linking fails if somebody was faster; and libuv,
   * which at the end unlinks the name that it bound, whoever has it by then, cannot hit another's socket.
   */
  #listen(): Promise<void> {
    const hidden = hiddenName(this.socketPath);
    const { mode } = this.#settings;
    return new Promise((resolve, reject) => {
      const fail = (cause: NodeJS.ErrnoException) => reject(this.#refusal(cause));
      this.#server.once('error', fail);
      this.#server.once('listening', () => {
        this.#server.off('error', fail);
        try {
          this.#publish(hidden);
          resolve();
        } catch (cause) {
          this.#server.close();
          fail(cause as NodeJS.ErrnoException);
        }
      });
      // A worker thread may not set the umask, which is the process's: chmod, before the real name exists.
      const mask = isMainThread ? process.umask(0o777 & ~mode) : undefined;
      try {
        // Exclusive: bound here and now, by this process, in a cluster's worker too.
        this.#server.listen({ path: hidden, exclusive: true });
      } finally {
        if (mask !== undefined) process.umask(mask);
      }
    });
  }

  #publish(hidden: string): void {
    if (!isMainThread) chmodSync(hidden, this.#settings.mode);
    const { dev, ino } = lstatSync(hidden, { bigint: true });
    try {
      linkSync(hidden, this.socketPath);
      unlinkSync(hidden);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
      // Some file systems have no hard links.
      renameSync(hidden, this.socketPath);
    }
    this.#bound = { dev, ino };
  }

  #refusal(cause: NodeJS.ErrnoException): ReqcastError {
    if (cause.code === 'EADDRINUSE' || cause.code === 'EEXIST')
      return inUse(this.socketPath, undefined, cause);
    const message = `No socket can be bound at ${this.socketPath} (${cause.code}): choose another pushServer.socketPath.`;
    return new ReqcastError('INVALID_OPTION', message, { cause });
  }

  #admit(stream: Socket, peer: (stream: Socket) => void): void {
    this.#peers.add(stream.unref());
    stream.on('close', () => this.#peers.delete(stream));
    stream.on('error', (error) => debug('a peer failed: %s', error.message));
    stream.resume();
    try {
      peer(stream);
    } catch (error) {
      debug('a peer was not taken: %o', error);
      stream.destroy();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => {});
    this.#unlink();
    if (!this.#server.listening) return;
    const gone = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const peer of this.#peers) peer.end();
    // Not unref'd: all else is, and an `await close()` must come to its end.
    const timer = setTimeout(() => {
      for (const peer of this.#peers) peer.destroy();
    }, this.#settings.closeTimeoutMs);
    await gone;
    clearTimeout(timer);
  }

  #unlink(): void {
    const there = lstatSync(this.socketPath, { bigint: true, throwIfNoEntry: false });
    if (!this.#bound || there?.ino !== this.#bound.ino || there.dev !== this.#bound.dev) return;
    try {
      unlinkSync(this.socketPath);
    } catch (error) {
      debug('%s stays: %o', this.socketPath, error);
    }
  }
}

/** Shorter than most names, so that it seldom counts against the limit of a path's length. */
function hiddenName(path: string): string {
  return join(dirname(path), `.${randomBytes(6).toString('base64url')}`);
}

function assertWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const [from, to] = name === 'mode' ? ['0o0', '0o777'] : [least, most];
  throw new ReqcastError(
    'INVALID_OPTION',
    `Option ${name} is ${String(value)}; it must be a whole number, ${from} to ${to}.`,
  );
}
