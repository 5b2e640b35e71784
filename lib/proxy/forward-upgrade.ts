import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import createDebug from 'debug';
import { createProxyServer } from 'http-proxy';
import { ReqcastError } from '../protocol/errors.ts';
import { Limiter, type TunnelLimits } from './limits.ts';
import type { OpenTunnel, TunnelEnd, TunnelReason } from './open-tunnel.ts';
import { OpenConnection, type PassageOptions, requestForTarget, targetUrl } from './passage.ts';

const debug = createDebug('reqcast:proxy');

/** After one side has ended, the other has this long to end too, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5000;

export interface ForwardUpgradeOptions extends PassageOptions, TunnelLimits {
  /** How long the target may take to answer the handshake, in milliseconds. */
  answerTimeoutMs: number;
  /** @default 5000 */
  closeTimeoutMs?: number;
  /** The target gave no answer; nothing has been written to the client, and this is the last moment to. */
  refuse(error: ReqcastError): void;
}

/** An upgrade request as Node gives it. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
}

/**
 * Forwards a WebSocket handshake over an open connection and then the bytes both ways, whatever they say; a target
 * that refuses is quoted to the client. A side that does not read stops the other, one that ends or breaks off ends
 * the other, after `closeTimeoutMs` at the latest.
 */
export function forwardUpgrade(upgrade: Upgrade, stream: Socket, options: ForwardUpgradeOptions): OpenTunnel {
  const forwarded = new ForwardedUpgrade(upgrade, stream, options);
  forwarded.open();
  return forwarded;
}

class ForwardedUpgrade implements OpenTunnel {
  readonly ended: Promise<TunnelEnd>;
  bytesIn = 0;
  bytesOut = 0;
  readonly #upgrade: Upgrade;
  readonly #stream: Socket;
  readonly #options: ForwardUpgradeOptions;
  readonly #limiter: Limiter;
  readonly #late: NodeJS.Timeout;
  #resolve!: (end: TunnelEnd) => void;
  #reason: TunnelReason | undefined;
  #answered = false;
  #upgraded = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(upgrade: Upgrade, stream: Socket, options: ForwardUpgradeOptions) {
    this.#upgrade = upgrade;
    this.#stream = stream;
    this.#options = options;
    this.#limiter = new Limiter(options, (reason) => this.#hangUp(reason));
    this.#late = setTimeout(
      () => stream.destroy(failure('TARGET_TIMEOUT', `did not answer within ${options.answerTimeoutMs} ms`)),
      options.answerTimeoutMs,
    ).unref();
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  close(): void {
    this.#hangUp('closed');
  }

  leave(): void {
    this.destroy();
  }

  destroy(): void {
    this.#reason ??= 'closed';
    this.#upgrade.socket.destroy();
    this.#stream.destroy();
  }

  open(): void {
    const { socket } = this.#upgrade;
    const stream = this.#stream;
    socket.on('error', (error) => debug('client: %s', error.message));
    socket.once('end', () => this.#clientEnded());
    socket.once('close', () => this.#clientGone());
    stream.on('error', (error) => debug('target: %s', error.message));
    stream.once('end', () => this.#ending('target-closed'));
    stream.once('close', () => this.#targetGone());
    // The client may have gone before it came here.
    if (socket.destroyed) this.#clientGone();
    else if (socket.readableEnded) this.#clientEnded();
    else this.#forward();
  }

  #forward(): void {
    const { request, socket, head } = this.#upgrade;
    const stream = this.#stream;
    const proxy = createProxyServer();
    // The client's socket's, which are told above.
    proxy.on('error', () => {});
    proxy.on('proxyReqWs', (asked) => this.#guard(asked));
    // Not sooner: what came with the handshake would flow before http-proxy's pipes are there.
    proxy.on('open', () => {
      socket.on('data', (chunk) => this.#count('bytesIn', chunk));
      stream.on('data', (chunk) => this.#count('bytesOut', chunk));
    });
    // As Node reads headers; http-proxy writes them as text.
    socket.setDefaultEncoding('latin1');
    const agent = new OpenConnection(stream);
    const passage = requestForTarget(request, this.#options);
    try {
      proxy.ws(passage, socket, head, { target: targetUrl(this.#options.target), agent }, (cause) =>
        this.#failed(cause),
      );
    } catch (cause) {
      this.#failed(cause as Error);
    }
  }

  /** Our listeners come before http-proxy's own. */
  #guard(asked: ClientRequest): void {
    const { socket } = this.#upgrade;
    asked.once('upgrade', () => {
      this.#answer();
      this.#upgraded = true;
    });
    asked.once('response', (answer) => {
      this.#answer();
      this.#reason ??= 'target-failed';
      // http-proxy writes whatever comes, and never ends what breaks off.
      answer.on('data', () => {
        if (!socket.writableNeedDrain) return;
        answer.pause();
        socket.once('drain', () => answer.resume());
      });
      answer.once('close', () => socket.destroySoon());
    });
  }

  #answer(): void {
    this.#answered = true;
    clearTimeout(this.#late);
  }

  #count(way: 'bytesIn' | 'bytesOut', chunk: Buffer): void {
    this[way] += chunk.length;
    this.#limiter.count(chunk.length);
  }

  #failed(cause: Error): void {
    if (this.#answered || this.#upgrade.socket.destroyed) return;
    this.#answer();
    this.#reason ??= 'target-failed';
    const known = cause instanceof ReqcastError;
    this.#options.refuse(known ? cause : failure('TARGET_FAILED', `failed (${cause.message})`, cause));
    this.#stream.destroy();
  }

  /** One side has said its last: the other may finish, but not for good. */
  #ending(reason: TunnelReason): void {
    this.#reason ??= reason;
    this.#deadline ??= setTimeout(
      () => this.destroy(),
      this.#options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS,
    ).unref();
  }

  #hangUp(reason: TunnelReason): void {
    this.#ending(reason);
    // No Close frame: where the target's last frame ended is not known here.
    this.#upgrade.socket.end();
    this.#stream.end();
  }

  /** Before the answer it can only have gone: nothing is said in a WebSocket without both halves. */
  #clientEnded(): void {
    this.#ending('client-closed');
    if (!this.#answered) this.#upgrade.socket.destroy();
  }

  #clientGone(): void {
    const { socket } = this.#upgrade;
    const broken = socket.errored || !socket.readableEnded;
    this.#ending(broken ? 'client-failed' : 'client-closed');
    // Before the answer http-proxy would leave it open, and afterwards end it and wait for ever.
    if (broken || !this.#answered) this.#stream.destroy();
    this.#settle();
  }

  #targetGone(): void {
    const { socket } = this.#upgrade;
    const broken = !this.#answered || this.#stream.errored || !this.#stream.readableEnded;
    this.#ending(broken ? 'target-failed' : 'target-closed');
    if (!this.#answered) this.#failed(new Error('it closed the connection'));
    else if (this.#upgraded && broken) socket.destroySoon();
    this.#settle();
  }

  #settle(): void {
    if (!this.#upgrade.socket.destroyed || !this.#stream.destroyed) return;
    clearTimeout(this.#deadline);
    clearTimeout(this.#late);
    this.#limiter.stop();
    this.#resolve({ reason: this.#reason as TunnelReason, bytesIn: this.bytesIn, bytesOut: this.bytesOut });
  }
}

function failure(code: 'TARGET_FAILED' | 'TARGET_TIMEOUT', what: string, cause?: unknown): ReqcastError {
  return new ReqcastError(code, `The target of a forwarded WebSocket ${what}.`, { cause });
}
