import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import createDebug from 'debug';
import type { RawData, WebSocket } from 'ws';
import { CloseCode } from '../protocol/close-codes.ts';
import { FINAL, frameInPlace, HEADER_BYTES } from '../protocol/frame.ts';
import { decodeBase64, encodeBase64, lettersOf } from './base64.ts';
import { type Inlet, READ_BYTES } from './inlet.ts';
import { Limiter, type LimitReason, type TunnelLimits } from './limits.ts';
import type { OpenTunnel, TunnelEnd, TunnelReason } from './open-tunnel.ts';
import { shortcut } from './shortcut.ts';

const debug = createDebug('reqcast:proxy');

/** After the client has gone, the target has this long to read the rest and go too, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5000;

/** The WebSocket ended without a Close frame. */
const ABNORMAL_CLOSURE = 1006;

/** `base64`: each message is the base64 of a piece of the stream; `binary`: the piece itself. */
export type TunnelWire = 'binary' | 'base64';

/** Frames go past `ws`: there must be no permessage-deflate, and nothing may have been read yet. */
export interface TunnelClient {
  ws: WebSocket;
  /** What the WebSocket was made on. */
  stream: Duplex;
  /** What `ws` was told to take at most. */
  maxMessageBytes: number;
}

export interface TunnelOptions extends TunnelLimits {
  /** @default 5000 */
  closeTimeoutMs?: number;
}

/**
 * Carries bytes both ways until both ends are closed. At the target's end of stream the client gets all bytes and
 * then close code 1000; 4502 if the target failed; 1007 for what is not base64; 4410 or 4413 at a limit. A side that
 * does not read stops the other. The socket must allow half-open, as that of `connectTarget` does.
 */
export function tunnel(
  client: TunnelClient,
  socket: Socket,
  inlet: Inlet,
  wire: TunnelWire,
  options: TunnelOptions = {},
): OpenTunnel {
  const opened = new Tunnel(client, socket, inlet, wire, options);
  inlet.onBytes = (length) => opened.fromTarget(length);
  opened.open();
  return opened;
}

/** What the client is told at a limit. */
const LIMITS: Record<LimitReason, [code: number, reason: string]> = {
  idle: [CloseCode.idle, 'nothing passed for too long'],
  'max-bytes': [CloseCode.limitReached, 'more bytes than one connection may carry'],
  'max-duration': [CloseCode.limitReached, 'open for as long as one connection may be'],
};

class Tunnel implements OpenTunnel {
  readonly ended: Promise<TunnelEnd>;
  readonly #ws: WebSocket;
  readonly #stream: Duplex;
  readonly #inlet: Inlet;
  readonly #socket: Socket;
  readonly #wire: TunnelWire;
  readonly #options: TunnelOptions;
  readonly #limiter: Limiter;
  #resolve!: (end: TunnelEnd) => void;
  #reason: TunnelReason | undefined;
  bytesIn = 0;
  bytesOut = 0;
  /** Set when this side closes: what the client still sends is nobody's. */
  #deaf = false;
  #sending = false;
  /** What was last sent in base64, with room for a header before it. */
  #text: Buffer | undefined;
  readonly #onSent = () => this.#sent();
  #deadline: NodeJS.Timeout | undefined;
  #clientOpen = true;
  #targetOpen = true;

  constructor(client: TunnelClient, socket: Socket, inlet: Inlet, wire: TunnelWire, options: TunnelOptions) {
    this.#ws = client.ws;
    this.#stream = client.stream;
    if (client.ws.readyState === client.ws.OPEN) {
      const binary = wire === 'binary';
      const { ws, stream, maxMessageBytes } = client;
      shortcut(ws, stream, { kind: binary ? 'binary' : 'text', inPieces: binary, maxMessageBytes });
    }
    this.#inlet = inlet;
    this.#socket = socket;
    this.#wire = wire;
    this.#options = options;
    this.#limiter = new Limiter(options, (reason) => this.#hangUp(reason, ...LIMITS[reason]));
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  close(): void {
    this.#hangUp('closed', CloseCode.normal, 'closed by the server');
  }

  leave(): void {
    this.#reason ??= 'closed';
    this.#deaf = true;
    this.#socket.destroy();
  }

  destroy(): void {
    this.#reason ??= 'closed';
    this.#ws.terminate();
    this.#socket.destroy();
  }

  open(): void {
    const ws = this.#ws;
    const socket = this.#socket;
    ws.on('message', (data) => this.#fromClient(data));
    ws.on('error', (error) => this.#clientFailed(error));
    ws.on('close', (code) => this.#clientGone(code));
    socket.on('drain', () => ws.resume());
    socket.on('end', () => this.#targetEnded());
    socket.on('error', (error) => this.#targetFailed(error));
    socket.on('close', () => this.#targetGone());
    // One of them may have ended before it came here.
    if (socket.closed) this.#targetGone();
    if (ws.readyState === ws.CLOSED) this.#clientGone(ABNORMAL_CLOSURE);
    else socket.resume();
  }

  #fromClient(data: RawData): void {
    if (this.#deaf || !this.#socket.writable) return;
    const raw = bytesOf(data);
    const bytes = this.#wire === 'base64' ? decodeBase64(raw) : raw;
    if (!bytes) {
      this.#hangUp('invalid-payload', CloseCode.invalidPayload, 'not base64');
      return;
    }
    if (bytes.length === 0) return;
    this.bytesIn += bytes.length;
    this.#limiter.count(bytes.length);
    this.#socket.write(bytes);
    // `write` says no to much at once even when the kernel has taken it all.
    if (this.#socket.writableNeedDrain && this.#socket.writableLength > 0) this.#ws.pause();
  }

  /** The target is read again, into the same bytes, once the client has been given all. */
  fromTarget(length: number): void {
    // The client is leaving; the rest is read so that the target can end.
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.bytesOut += length;
    this.#sending = true;
    this.#stream.write(this.#frame(length), this.#onSent);
    if (this.#stream.writableLength > 0) this.#socket.pause();
    this.#limiter.count(length);
  }

  #frame(length: number): Buffer {
    const { buffer } = this.#inlet;
    if (this.#wire === 'binary') return frameInPlace(buffer, length, FINAL.binary);
    this.#text ??= Buffer.allocUnsafeSlow(HEADER_BYTES + lettersOf(READ_BYTES));
    encodeBase64(buffer.subarray(HEADER_BYTES, HEADER_BYTES + length), this.#text.subarray(HEADER_BYTES));
    return frameInPlace(this.#text, lettersOf(length), FINAL.text);
  }

  #sent(): void {
    this.#sending = false;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#closeWhenFlushed();
  }

  #targetEnded(): void {
    this.#reason ??= 'target-closed';
    this.#closeWhenFlushed();
  }

  /** `ws` cuts the connection some time after `close`, whether or not all was sent: close after that. */
  #closeWhenFlushed(): void {
    if (this.#reason === 'target-closed' && !this.#sending)
      this.#ws.close(CloseCode.normal, 'the target ended');
  }

  #targetFailed(error: Error): void {
    debug('target: %s', error.message);
    this.#reason ??= 'target-failed';
  }

  #targetGone(): void {
    if (!this.#targetOpen) return;
    this.#targetOpen = false;
    this.#reason ??= 'target-failed';
    this.#ws.resume();
    if (this.#reason === 'target-failed') this.#closeClient(CloseCode.targetFailed, 'the target failed');
    this.#settle();
  }

  /** This side ends it: neither what the target says nor what the client says goes through any more. */
  #hangUp(reason: TunnelReason, code: number, text: string): void {
    this.#reason ??= reason;
    this.#deaf = true;
    this.#closeClient(code, text);
  }

  /** Reads on, or the client's Close frame would never be seen. */
  #closeClient(code: number, reason: string): void {
    this.#ws.resume();
    this.#ws.close(code, reason);
  }

  #clientFailed(error: Error): void {
    debug('client: %s', error.message);
    this.#reason ??= 'client-failed';
    this.#socket.destroy();
  }

  #clientGone(code: number): void {
    if (!this.#clientOpen) return;
    this.#clientOpen = false;
    this.#reason ??= code === ABNORMAL_CLOSURE ? 'client-failed' : 'client-closed';
    if (code === ABNORMAL_CLOSURE) this.#socket.destroy();
    else {
      this.#socket.end();
      this.#socket.resume();
      const timeout = this.#options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS;
      this.#deadline = setTimeout(() => this.#socket.destroy(), timeout).unref();
    }
    this.#settle();
  }

  #settle(): void {
    if (this.#clientOpen || this.#targetOpen) return;
    clearTimeout(this.#deadline);
    this.#limiter.stop();
    this.#resolve({ reason: this.#reason as TunnelReason, bytesIn: this.bytesIn, bytesOut: this.bytesOut });
  }
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
