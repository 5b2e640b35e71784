import { createServer, type Server, type Socket } from 'node:net';
import { resolve as resolvePath } from 'node:path';
import createDebug from 'debug';
import { ReqcastError } from '../protocol/errors.ts';
import { type Bound, bind } from '../unix/bind.ts';
import { inUse } from '../unix/claim.ts';
import { hiddenName } from '../unix/socket-path.ts';
import { assertSocketPath, claimSocketPath, defaultSocketPath, REMEDY, unbindable } from './socket-path.ts';

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
  #bound: Bound | undefined;
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
    const { socketPath, mode } = this.#settings;
    await claimSocketPath(socketPath);
    try {
      this.#bound = await bind(this.#server, socketPath, mode);
    } catch (error) {
      const cause = error as NodeJS.ErrnoException;
      const taken = cause.code === 'EADDRINUSE' || cause.code === 'EEXIST';
      throw taken ? inUse(socketPath, REMEDY, undefined, cause) : unbindable(socketPath, cause);
    }
    this.#server.on('error', (error) => debug('%s', error.message));
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
    this.#bound?.release();
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
}

function assertWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const [from, to] = name === 'mode' ? ['0o0', '0o777'] : [least, most];
  throw new ReqcastError(
    'INVALID_OPTION',
    `Option ${name} is ${String(value)}; it must be a whole number, ${from} to ${to}.`,
  );
}
