import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Hub } from '../hub/hub.ts';
import { HUB_TOKEN } from '../protocol/wire.ts';
import { CONNECT_TIMEOUT_MS, connectTarget } from '../proxy/connect.ts';
import { forwardUpgrade } from '../proxy/forward-upgrade.ts';
import { Inlet } from '../proxy/inlet.ts';
import type { OpenTunnel } from '../proxy/open-tunnel.ts';
import { confineTarget } from '../proxy/socket-dir.ts';
import type { HttpAddress, Target } from '../proxy/target.ts';
import { tunnel } from '../proxy/tunnel.ts';
import type { Connection, Destination, Found, Guest, Handover } from '../websocket/destination.ts';
import { Refusal, refuse } from '../websocket/refusal.ts';
import { tokenOf, type WrittenToken } from '../websocket/token.ts';
import { connect } from './authorized.ts';
import type { Fault } from './faults.ts';
import { type Forwarding, type Forwardings, refusalOf, restOf } from './forwardings.ts';
import { HandoverLine } from './handover-line.ts';
import { HubDestination, type HubDoor } from './hub-destination.ts';
import type { NormalizedOptions } from './normalize.ts';
import { SharedTexts } from './shared-text.ts';
import type { TunnelTokens } from './tunnel-tokens.ts';
import type { Tunnels } from './tunnels.ts';

/** The largest message taken from a tunnel's client: noVNC's clipboard and file transfers stay far below. */
const MAX_TUNNEL_MESSAGE_BYTES = 16 * 1024 * 1024;

/** What is behind a tunnel. */
interface Way {
  readonly name: string;
  readonly target: Target;
  readonly request: IncomingMessage;
  readonly connection: Connection;
  authorize(): Promise<Connection>;
  /** What of the client's URL an HTTP target gets. */
  readonly passage?: { readonly prefix: string; readonly rest: string };
  /** No tunnel came of it. */
  release(): void;
}

/** A request that is being decided on. */
interface Deciding {
  /** Aborted when there is nobody to decide for any more. */
  readonly signal: AbortSignal;
}

export interface ProxyParts {
  readonly tokens: TunnelTokens;
  readonly forwardings: Forwardings;
  readonly tunnels: Tunnels;
}

/** Where upgrade requests lead: `woknotifications` to the hub, other tokens and prefixes through the proxy. */
export class Destinations {
  readonly #options: NormalizedOptions;
  readonly #door: HubDoor;
  readonly #fault: Fault;
  readonly #proxy: ProxyParts;

  constructor(options: NormalizedOptions, hub: Hub, fault: Fault, proxy: ProxyParts) {
    this.#options = options;
    const { maxPatterns, handshakeTimeoutMs } = options;
    this.#door = { options, hub, maxPatterns, handshakeTimeoutMs, texts: new SharedTexts() };
    this.#fault = fault;
    this.#proxy = proxy;
  }

  /** @throws Refusal */
  resolve(request: IncomingMessage, arrival: Deciding): Found | Promise<Found> {
    const path = request.url?.split('?')[0] ?? '';
    const forwarding = path === this.#options.path ? undefined : this.#proxy.forwardings.at(path);
    if (forwarding) return this.#toForwarding(forwarding, request, arrival.signal);
    const token = tokenOf(request);
    if (token.name === HUB_TOKEN) return HubDestination.find(this.#door, request);
    return this.#toTunnel(token, request, arrival.signal);
  }

  async #toTunnel(token: WrittenToken, request: IncomingMessage, signal: AbortSignal): Promise<Found> {
    const { find, ...admission } = await this.#proxy.tokens.admit(token, request);
    try {
      return await this.#lead({ ...admission, target: await find(), request }, signal);
    } catch (reason) {
      admission.release();
      throw this.#refusal(reason, signal);
    }
  }

  async #toForwarding(forwarding: Forwarding, request: IncomingMessage, signal: AbortSignal) {
    const { prefix, target } = forwarding;
    const authorize = () => connect(forwarding.authorize, request, prefix);
    const connection = await authorize();
    const passage = { prefix, rest: restOf(request, forwarding) };
    const way = { name: prefix || '/', target, request, connection, authorize, passage, release() {} };
    try {
      return await this.#lead(way, signal);
    } catch (reason) {
      throw this.#refusal(reason, signal);
    }
  }

  async #lead(way: Way, signal: AbortSignal): Promise<Found> {
    const { connectTimeoutMs, ...proxy } = this.#options.proxy ?? {};
    if ('http' in way.target && way.request.method !== 'GET')
      throw new Refusal(405, 'NOT_A_HANDSHAKE', 'A WebSocket begins with GET.');
    const target = await confineTarget(way.target, proxy);
    if ('http' in target)
      return this.#handover(way, target.http, await connectTarget(target, { connectTimeoutMs, signal }));
    const inlet = new Inlet();
    return this.#tunnel(way, await connectTarget(target, { connectTimeoutMs, signal, inlet }), inlet);
  }

  #tunnel(way: Way, stream: Socket, inlet: Inlet): Destination {
    return {
      ...this.#welcome(way, stream),
      protocols: ['binary', 'base64'],
      maxMessageBytes: MAX_TUNNEL_MESSAGE_BYTES,
      open: ({ ws, socket, protocol }) => {
        const wire = protocol === 'base64' ? 'base64' : 'binary';
        const client = { ws, stream: socket, maxMessageBytes: MAX_TUNNEL_MESSAGE_BYTES };
        return this.#watch(tunnel(client, stream, inlet, wire, this.#options.proxy), way);
      },
    };
  }

  #handover(way: Way, http: HttpAddress, stream: Socket): Handover {
    const { trustProxy, proxy = {} } = this.#options;
    return {
      ...this.#welcome(way, stream),
      take: (duplex, head) => {
        const socket = duplex as Socket;
        const forwarded = forwardUpgrade({ request: way.request, socket, head }, stream, {
          ...proxy,
          ...way.passage,
          target: http,
          trustProxy,
          answerTimeoutMs: proxy.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
          refuse: (error) => {
            way.release();
            this.#fault('proxy', error);
            refuse(socket, refusalOf(error));
          },
        });
        return { line: new HandoverLine(socket, forwarded), guest: this.#watch(forwarded, way) };
      },
    };
  }

  #welcome({ connection, authorize, release }: Way, stream: Socket) {
    const abandon = () => {
      release();
      stream.destroy();
    };
    return { connection, authorize, abandon };
  }

  /** What is behind it has no words of its own for the server's. */
  #watch(opened: OpenTunnel, { name, target, connection }: Way): Guest {
    this.#proxy.tunnels.add(opened, { name, target, request: connection.request });
    return { beat() {}, bye() {}, meet() {}, leave: () => opened.leave() };
  }

  #refusal(reason: unknown, signal: AbortSignal): unknown {
    if (reason instanceof Refusal || signal.aborted) return reason;
    this.#fault('proxy', reason);
    return refusalOf(reason);
  }
}
