import { connect, type Socket } from 'node:net';
import createDebug from 'debug';
import { type ErrorCode, ReqcastError } from '../protocol/errors.ts';
import type { Inlet } from './inlet.ts';
import { addressOf, describeTarget, type Target } from './target.ts';

const debug = createDebug('reqcast:proxy');

/** Longer than any machine at hand needs, and within the handshake's time, so that the answer names the target. */
export const CONNECT_TIMEOUT_MS = 8_000;

export interface ConnectOptions {
  /** @default 8000 */
  connectTimeoutMs?: number;
  /** Gives up when aborted; the promise is rejected with its reason. */
  signal?: AbortSignal;
  /** Takes what the target says, from when the socket is resumed; without one the socket emits it as `data`. */
  inlet?: Inlet;
}

/**
 * Opens a stream to the target, half-open allowed: its user must `end` it. Its errors never go unhandled. Whatever
 * the promise is rejected with, no socket stays open.
 *
 * @throws ReqcastError `TARGET_NOT_FOUND`, `TARGET_UNREACHABLE` or `TARGET_TIMEOUT`; the signal's reason
 */
export function connectTarget(target: Target, options: ConnectOptions = {}): Promise<Socket> {
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, signal, inlet } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = connect({ ...socketOptions(target), allowHalfOpen: true, onread: inlet?.onread });
    if (inlet) socket.pause();
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (reason: unknown) => {
      settle();
      socket.destroy();
      reject(reason);
    };
    const onAbort = () => giveUp(signal?.reason);
    const timer = setTimeout(
      () => giveUp(failure(target, 'TARGET_TIMEOUT', `it did not answer within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    ).unref();
    signal?.addEventListener('abort', onAbort, { once: true });
    // Stays: between here and the tunnel nobody else listens.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      debug('%s: %s', describeTarget(target), error.message);
      giveUp(failure(target, codeOf(error), error.code ?? error.message, error));
    });
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
  });
}

/** What an upgrade request is answered if this is why it cannot be served. */
export function httpStatusOf(error: unknown): 403 | 404 | 502 | 504 {
  const code = error instanceof ReqcastError ? error.code : undefined;
  if (code === 'TARGET_NOT_FOUND') return 404;
  if (code === 'TARGET_FORBIDDEN') return 403;
  return code === 'TARGET_TIMEOUT' ? 504 : 502;
}

function socketOptions(target: Target) {
  const address = addressOf(target);
  return 'socketPath' in address
    ? { path: address.socketPath }
    : { ...address, noDelay: true, keepAlive: true };
}

function codeOf(error: NodeJS.ErrnoException): ErrorCode {
  if (error.code === 'ENOENT') return 'TARGET_NOT_FOUND';
  return error.code === 'ETIMEDOUT' ? 'TARGET_TIMEOUT' : 'TARGET_UNREACHABLE';
}

function failure(target: Target, code: ErrorCode, why: string, cause?: unknown): ReqcastError {
  const message = `The target ${describeTarget(target)} cannot be reached (${why}): is it running, and may this user connect?`;
  return new ReqcastError(code, message, { cause });
}
