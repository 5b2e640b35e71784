import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import createDebug from 'debug';
import { type Server, WebSocketServer } from 'ws';
import { Arrival } from './arrival.ts';
import { Capacity, type CapacityRule, type Source } from './capacity.ts';
import type { Connection, Destination, Found } from './destination.ts';
import { Guests, type GuestsOptions } from './guests.ts';
import { assertOrigin, type OriginRule } from './origin.ts';
import { Refusal, refuse } from './refusal.ts';
import { SocketLine } from './socket-line.ts';
import { offeredProtocols } from './token.ts';
import { Turnstile } from './turnstile.ts';

const debug = createDebug('reqcast:websocket');

export interface EndpointOptions extends OriginRule, CapacityRule, GuestsOptions {
  /** Authorizes and finds where a request leads. @throws Refusal */
  resolve(request: IncomingMessage, arrival: Arrival): Found | Promise<Found>;
  /** Who is at the other end. */
  addressOf(request: IncomingMessage): string | undefined;
  /** Told, at most once a minute, that a client was refused because there are too many. */
  onFull(refusal: Refusal): void;
}

/** An upgrade request, with where it comes from. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly source: Source;
}

/** One path for WebSockets: from the upgrade request to an open connection at its destination. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #servers = new Map<number, Server<typeof SocketLine>>();
  /** The subprotocol of the handshake that is being made. */
  #agreed = '';
  readonly #capacity: Capacity;
  readonly #arrivals = new Set<Arrival>();
  readonly #turnstile = new Turnstile<Upgrade>((upgrade) => this.#enter(upgrade));
  readonly #guests: Guests;
  /** Why nobody gets in any more. */
  #closed: Refusal | undefined;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#capacity = new Capacity(options, options.onFull);
    this.#guests = new Guests(options, this.#capacity);
  }

  /** Takes over an upgrade request on our path. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', onSocketError);
    try {
      if (this.#closed) throw this.#closed;
      assertBodiless(request);
      assertOrigin(request, this.#options);
      const source = this.#capacity.enter(this.#options.addressOf(request));
      // An empty head would keep all that was read with it for as long as it waits.
      this.#turnstile.pass({ request, socket, head: head.length > 0 ? head : NOTHING, source });
    } catch (reason) {
      this.#refuse(socket, reason);
    }
  }

  /** Without a promise where `resolve` gives none: in a storm each is one more thing to collect. */
  #enter(upgrade: Upgrade): void {
    const { request, socket } = upgrade;
    if (socket.destroyed) {
      this.#uncount(upgrade);
      return;
    }
    const arrival = new Arrival(socket, this.#options.handshakeTimeoutMs);
    this.#arrivals.add(arrival);
    try {
      if (this.#closed) throw this.#closed;
      const found = this.#options.resolve(request, arrival);
      if (!(found instanceof Promise)) this.#admit(found, arrival, upgrade);
      else
        arrival
          .decide(found, (late) => late.abandon?.())
          .then((destination) => this.#admit(destination, arrival, upgrade))
          .catch((reason) => this.#turnAway(reason, arrival, upgrade));
    } catch (reason) {
      this.#turnAway(reason, arrival, upgrade);
    }
  }

  #admit(destination: Found, arrival: Arrival, upgrade: Upgrade): void {
    this.#arrivals.delete(arrival);
    if (!this.#open(destination, arrival, upgrade)) this.#uncount(upgrade);
  }

  #turnAway(reason: unknown, arrival: Arrival, upgrade: Upgrade): void {
    this.#arrivals.delete(arrival);
    this.#uncount(upgrade);
    this.#refuse(upgrade.socket, reason);
  }

  /** What is open is counted until its visit is over, what is not until it is closed. */
  #uncount({ socket, source }: Upgrade): void {
    if (socket.destroyed) this.#capacity.leave(source);
    else socket.once('close', () => this.#capacity.leave(source));
  }

  #refuse(socket: Duplex, reason: unknown): void {
    try {
      if (!(reason instanceof Refusal)) this.#options.onFault(reason);
      const refusal = reason instanceof Refusal ? reason : new Refusal(500, 'FAILED', 'The server failed.');
      debug('refused with %d %s: %s', refusal.status, refusal.code, refusal.message);
      refuse(socket, refusal);
    } catch (fault) {
      this.#options.onFault(fault);
    }
  }

  /** True if it is open now. */
  #open(destination: Found, arrival: Arrival, { request, socket, head, source }: Upgrade): boolean {
    let opened = false;
    try {
      if (socket.destroyed) return false;
      if (this.#closed) throw this.#closed;
      arrival.assertWelcome(destination.connection);
      if ('take' in destination) {
        opened = true;
        const { line, guest } = destination.take(socket, head);
        this.#guests.admit(destination, line, guest, source);
        return true;
      }
      const protocol = choose(offeredProtocols(request), destination);
      this.#agreed = protocol;
      // From here on `ws` has its own.
      socket.off('error', onSocketError);
      this.#server(destination.maxMessageBytes).handleUpgrade(request, socket, head, (ws) => {
        opened = true;
        debug('opened as %s, audiences: %o', protocol || 'binary', destination.connection.audiences);
        this.#guests.admit(destination, ws, destination.open({ ws, socket, protocol }), source);
      });
      return opened;
    } finally {
      if (!opened) destination.abandon?.();
    }
  }

  /** The handshakes of all destinations with this limit. */
  #server(maxPayload: number): Server<typeof SocketLine> {
    const known = this.#servers.get(maxPayload);
    if (known) return known;
    // Who is closed and does not close, as one that reads nothing, is cut off; @types/ws does not know the option yet.
    const limits = { maxPayload, closeTimeout: this.#options.closeTimeoutMs };
    const server = new WebSocketServer({
      ...limits,
      WebSocket: SocketLine,
      autoPong: false,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: () => this.#agreed || false,
    });
    this.#servers.set(maxPayload, server);
    return server;
  }

  /** Ends the connections that the predicate names, also those that are about to open. Returns how many were open. */
  disconnect(predicate: (connection: Connection) => boolean): number {
    for (const arrival of this.#arrivals) arrival.disconnect(predicate);
    return this.#guests.disconnect(predicate);
  }

  /** Says goodbye to everyone; who has not gone after a while is cut off. @param overMs the clients come back spread over so long */
  async close(overMs: number): Promise<void> {
    const afterS = Math.max(1, Math.ceil(overMs / 1000));
    this.#closed = new Refusal(503, 'CLOSING', 'The server is going.', { 'Retry-After': String(afterS) });
    for (const arrival of this.#arrivals) arrival.end(this.#closed);
    await this.#guests.dismiss(overMs);
  }
}

const NOTHING = Buffer.alloc(0);

const onSocketError = (error: Error) => debug('socket: %s', error.message);

/** A body would be taken for frames, or from Node 26 on be waited for. */
function assertBodiless({ headers }: IncomingMessage): void {
  if (headers['transfer-encoding'] === undefined && !Number(headers['content-length'] ?? 0)) return;
  throw new Refusal(400, 'NOT_A_HANDSHAKE', 'A WebSocket begins without a body.');
}

function choose(offered: readonly string[], destination: Destination): string {
  if (offered.length === 0) return '';
  if (destination.preferred && offered.includes(destination.preferred)) return destination.preferred;
  const common = offered.find((name) => destination.protocols.includes(name));
  if (common !== undefined) return common;
  const spoken = destination.protocols.join(', ');
  throw new Refusal(400, 'NO_COMMON_SUBPROTOCOL', `This token's subprotocols are: ${spoken}.`);
}
