import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import createDebug from 'debug';
import { type WebSocket, WebSocketServer } from 'ws';
import { CloseCode } from '../protocol/close-codes.ts';
import { HEARTBEAT_MS } from '../protocol/wire.ts';
import { Refusal, refuse } from './refusal.ts';
import type { Entrance, Guest } from './subscription.ts';
import { offeredProtocols } from './token.ts';

const debug = createDebug('reqcast:websocket');

/** Clients come back spread over so long after a polite close. */
const RETURN_SPREAD_MS = 1_000;

/** Where a token leads. */
export interface Destination {
  /** The subprotocols it speaks; without any offered, none is agreed on. */
  readonly protocols: readonly string[];
  /** This one rather than any other, if it is offered. */
  readonly preferred?: string;
  /** The largest message taken from the client, in bytes. */
  readonly maxMessageBytes: number;
  open(entrance: Entrance): Guest;
  /** The client went away, or offered nothing in common, before `open`. */
  abandon?(): void;
}

/** Somebody else who takes the client's connection as it is, handshake and all. */
export interface Handover {
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  abandon?(): void;
}

export interface EndpointOptions {
  /** Authorizes and finds where a request leads. @throws Refusal */
  resolve(request: IncomingMessage, signal: AbortSignal): Promise<Destination | Handover>;
  handshakeTimeoutMs: number;
  closeTimeoutMs: number;
  onFault(fault: unknown): void;
}

/** One path for WebSockets: from the upgrade request to an open connection at its destination. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #servers = new Map<number, WebSocketServer>();
  readonly #agreed = new WeakMap<IncomingMessage, string>();
  readonly #guests = new Map<WebSocket, Guest>();
  readonly #arriving = new Set<AbortController>();
  readonly #silent = new WeakSet<WebSocket>();
  readonly #heartbeat: NodeJS.Timeout;
  #closed = false;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  /** Takes over an upgrade request on our path. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const onError = (error: Error) => debug('socket: %s', error.message);
    socket.on('error', onError);
    this.#enter(request, socket, head)
      .catch((reason: unknown) => {
        if (!(reason instanceof Refusal)) this.#options.onFault(reason);
        const refusal = reason instanceof Refusal ? reason : new Refusal(500, 'FAILED', 'The server failed.');
        debug('refused with %d %s', refusal.status, refusal.code);
        refuse(socket, refusal);
      })
      .catch(this.#options.onFault);
  }

  async #enter(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const destination = await this.#arrive(socket, async (signal) => {
      if (this.#closed) throw new Refusal(503, 'CLOSING', 'The server is going.', { 'Retry-After': '1' });
      return this.#options.resolve(request, signal);
    });
    let opened = false;
    try {
      if (socket.destroyed) return;
      if ('take' in destination) {
        opened = true;
        destination.take(request, socket, head);
        return;
      }
      const protocol = choose(offeredProtocols(request), destination);
      this.#agreed.set(request, protocol);
      this.#server(destination.maxMessageBytes).handleUpgrade(request, socket, head, (ws) => {
        opened = true;
        this.#admit(destination, { ws, socket, protocol });
      });
    } finally {
      if (!opened) destination.abandon?.();
    }
  }

  /** The handshakes of all destinations with this limit. */
  #server(maxPayload: number): WebSocketServer {
    const known = this.#servers.get(maxPayload);
    if (known) return known;
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload,
      handleProtocols: (_, request) => this.#agreed.get(request) || false,
    });
    this.#servers.set(maxPayload, server);
    return server;
  }

  /** Runs what may take time, for as long as the client is there and not longer than the handshake may take. */
  async #arrive<T>(socket: Duplex, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const { signal } = controller;
    const late = new Refusal(503, 'HANDSHAKE_TIMEOUT', 'The server took too long to decide.', {
      'Retry-After': '1',
    });
    const timer = setTimeout(() => controller.abort(late), this.#options.handshakeTimeoutMs).unref();
    const onClose = () => controller.abort(new Refusal(499, 'GONE', 'The client went away.'));
    socket.once('close', onClose);
    this.#arriving.add(controller);
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const acting = act(signal);
    try {
      return await Promise.race([acting, aborted]);
    } catch (reason) {
      // What arrives after we gave up is nobody's.
      acting.then(
        (late) => (late as Destination)?.abandon?.(),
        () => {},
      );
      throw reason;
    } finally {
      clearTimeout(timer);
      socket.off('close', onClose);
      this.#arriving.delete(controller);
    }
  }

  #admit(destination: Destination, entrance: Entrance): void {
    const { ws } = entrance;
    ws.on('error', (error) => debug('closing: %s', error.message));
    ws.on('pong', () => this.#silent.delete(ws));
    ws.on('message', () => this.#silent.delete(ws));
    ws.on('close', () => this.#guests.delete(ws));
    this.#guests.set(ws, destination.open(entrance));
    if (this.#closed) this.#dismiss(ws);
  }

  #beat(): void {
    for (const [ws, guest] of this.#guests) {
      // A tunnel whose target is slow pauses its WebSocket, and a pong waits behind the data.
      if (this.#silent.has(ws) && !ws.isPaused) {
        ws.terminate();
        continue;
      }
      this.#silent.add(ws);
      ws.ping();
      guest.beat();
    }
  }

  #dismiss(ws: WebSocket): void {
    if (ws.readyState === ws.OPEN) this.#guests.get(ws)?.bye(Math.random() * RETURN_SPREAD_MS);
    ws.close(CloseCode.goingAway, 'the server is going');
  }

  /** Says goodbye to everyone; who has not gone after a while is cut off. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    for (const controller of this.#arriving)
      controller.abort(new Refusal(503, 'CLOSING', 'The server is going.', { 'Retry-After': '1' }));
    const open = [...this.#guests.keys()];
    const gone = open.map((ws) => new Promise<void>((resolve) => ws.once('close', () => resolve())));
    for (const ws of open) this.#dismiss(ws);
    const timer = setTimeout(() => {
      for (const ws of open) ws.terminate();
    }, this.#options.closeTimeoutMs).unref();
    await Promise.all(gone);
    clearTimeout(timer);
  }
}

function choose(offered: readonly string[], destination: Destination): string {
  if (offered.length === 0) return '';
  if (destination.preferred && offered.includes(destination.preferred)) return destination.preferred;
  const common = offered.find((name) => destination.protocols.includes(name));
  if (common !== undefined) return common;
  const spoken = destination.protocols.join(', ');
  throw new Refusal(400, 'NO_COMMON_SUBPROTOCOL', `This token's subprotocols are: ${spoken}.`);
}
