import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import createDebug from 'debug';
import { WebSocketServer } from 'ws';
import { Arrival } from './arrival.ts';
import { Capacity, type CapacityRule } from './capacity.ts';
import type { Connection, Destination, Handover } from './destination.ts';
import { Guests, type GuestsOptions } from './guests.ts';
import { assertOrigin, type OriginRule } from './origin.ts';
import { Refusal, refuse } from './refusal.ts';
import { offeredProtocols } from './token.ts';

const debug = createDebug('reqcast:websocket');

export interface EndpointOptions extends OriginRule, CapacityRule, GuestsOptions {
  /** Authorizes and finds where a request leads. @throws Refusal */
  resolve(request: IncomingMessage, arrival: Arrival): Promise<Destination | Handover>;
  /** Who is at the other end. */
  addressOf(request: IncomingMessage): string | undefined;
  /** Told, at most once a minute, that a client was refused because there are too many. */
  onFull(refusal: Refusal): void;
}

/** One path for WebSockets: from the upgrade request to an open connection at its destination. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #servers = new Map<number, WebSocketServer>();
  /** The subprotocol of the handshake that is being made. */
  #agreed = '';
  readonly #capacity: Capacity;
  readonly #arrivals = new Set<Arrival>();
  readonly #guests: Guests;
  /** Why nobody gets in any more. */
  #closed: Refusal | undefined;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#capacity = new Capacity(options, options.onFull);
    this.#guests = new Guests(options);
  }

  /** Takes over an upgrade request on our path. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', onSocketError);
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
    if (this.#closed) throw this.#closed;
    assertOrigin(request, this.#options);
    const leave = this.#capacity.enter(this.#options.addressOf(request));
    if (socket.destroyed) leave();
    else socket.on('close', leave);
    const arrival = new Arrival(socket, this.#options.handshakeTimeoutMs);
    this.#arrivals.add(arrival);
    try {
      const destination = await arrival.decide(
        () => this.#options.resolve(request, arrival),
        (late) => late.abandon?.(),
      );
      this.#open(destination, arrival, { request, socket, head });
    } finally {
      this.#arrivals.delete(arrival);
    }
  }

  #open(
    destination: Destination | Handover,
    arrival: Arrival,
    { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  ): void {
    let opened = false;
    try {
      if (socket.destroyed) return;
      if (this.#closed) throw this.#closed;
      arrival.assertWelcome(destination.connection);
      if ('take' in destination) {
        opened = true;
        const { line, guest } = destination.take(socket, head);
        this.#guests.admit(destination, line, guest);
        return;
      }
      const protocol = choose(offeredProtocols(request), destination);
      this.#agreed = protocol;
      this.#server(destination.maxMessageBytes).handleUpgrade(request, socket, head, (ws) => {
        opened = true;
        this.#guests.admit(destination, ws, destination.open({ ws, socket, protocol }));
      });
    } finally {
      if (!opened) destination.abandon?.();
    }
  }

  /** The handshakes of all destinations with this limit. */
  #server(maxPayload: number): WebSocketServer {
    const known = this.#servers.get(maxPayload);
    if (known) return known;
    // Who is closed and does not close, as one that reads nothing, is cut off; @types/ws does not know the option yet.
    const limits = { maxPayload, closeTimeout: this.#options.closeTimeoutMs };
    const server = new WebSocketServer({
      ...limits,
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

const onSocketError = (error: Error) => debug('socket: %s', error.message);

function choose(offered: readonly string[], destination: Destination): string {
  if (offered.length === 0) return '';
  if (destination.preferred && offered.includes(destination.preferred)) return destination.preferred;
  const common = offered.find((name) => destination.protocols.includes(name));
  if (common !== undefined) return common;
  const spoken = destination.protocols.join(', ');
  throw new Refusal(400, 'NO_COMMON_SUBPROTOCOL', `This token's subprotocols are: ${spoken}.`);
}
