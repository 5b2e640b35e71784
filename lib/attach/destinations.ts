import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Hub } from '../hub/hub.ts';
import { HUB_TOKEN, SUBPROTOCOL } from '../protocol/wire.ts';
import { CONNECT_TIMEOUT_MS, connectTarget } from '../proxy/connect.ts';
import { forwardUpgrade } from '../proxy/forward-upgrade.ts';
import { confineTarget } from '../proxy/socket-dir.ts';
import type { HttpAddress, Target } from '../proxy/target.ts';
import { tunnel } from '../proxy/tunnel.ts';
import type { Destination, Handover } from '../websocket/endpoint.ts';
import { LegacySession } from '../websocket/legacy-session.ts';
import { Refusal, refuse } from '../websocket/refusal.ts';
import { Session } from '../websocket/session.ts';
import { silentGuest } from '../websocket/subscription.ts';
import { tokenOf } from '../websocket/token.ts';
import { authorized } from './authorized.ts';
import type { Fault } from './faults.ts';
import { type Forwarding, type Forwardings, refusalOf, restOf } from './forwardings.ts';
import type { NormalizedOptions } from './normalize.ts';
import type { TunnelTokens } from './tunnel-tokens.ts';
import type { Tunnels } from './tunnels.ts';

/** The largest message taken from a tunnel's client: noVNC's clipboard and file transfers stay far below. */
const MAX_TUNNEL_MESSAGE_BYTES = 16 * 1024 * 1024;

/** What is behind a tunnel. */
interface Way {
  readonly name: string;
  readonly target: Target;
  readonly request: IncomingMessage;
  /** What of the client's URL an HTTP target gets. */
  readonly passage?: { readonly prefix: string; readonly rest: string };
  /** No tunnel came of it. */
  release(): void;
}

export interface ProxyParts {
  readonly tokens: TunnelTokens;
  readonly forwardings: Forwardings;
  readonly tunnels: Tunnels;
}

/** Where upgrade requests lead: `woknotifications` to the hub, other tokens and prefixes through the proxy. */
export class Destinations {
  readonly #options: NormalizedOptions;
  readonly #hub: Hub;
  readonly #fault: Fault;
  readonly #proxy: ProxyParts;

  constructor(options: NormalizedOptions, hub: Hub, fault: Fault, proxy: ProxyParts) {
    this.#options = options;
    this.#hub = hub;
    this.#fault = fault;
    this.#proxy = proxy;
  }

  /** @throws Refusal */
  resolve(request: IncomingMessage, signal: AbortSignal): Promise<Destination | Handover> {
    const path = request.url?.split('?')[0] ?? '';
    const forwarding = path === this.#options.path ? undefined : this.#proxy.forwardings.at(path);
    if (forwarding) return this.#toForwarding(forwarding, request, signal);
    return this.#toToken(request, signal);
  }

  async #toToken(request: IncomingMessage, signal: AbortSignal): Promise<Destination | Handover> {
    const token = tokenOf(request);
    if (token.name === HUB_TOKEN) return this.#toHub(request);
    const { name, find, release } = await this.#proxy.tokens.admit(token, request);
    try {
      return await this.#lead({ name, target: await find(), request, release }, signal);
    } catch (reason) {
      release();
      throw this.#refusal(reason, signal);
    }
  }

  async #toForwarding(forwarding: Forwarding, request: IncomingMessage, signal: AbortSignal) {
    const { prefix, target, authorize } = forwarding;
    await authorized(authorize, request, prefix);
    const passage = { prefix, rest: restOf(request, forwarding) };
    try {
      return await this.#lead({ name: prefix || '/', target, request, passage, release() {} }, signal);
    } catch (reason) {
      throw this.#refusal(reason, signal);
    }
  }

  async #lead(way: Way, signal: AbortSignal): Promise<Destination | Handover> {
    const { connectTimeoutMs, ...proxy } = this.#options.proxy ?? {};
    if ('http' in way.target && way.request.method !== 'GET')
      throw new Refusal(405, 'NOT_A_HANDSHAKE', 'A WebSocket begins with GET.');
    const target = await confineTarget(way.target, proxy);
    const stream = await connectTarget(target, { connectTimeoutMs, signal });
    return 'http' in target ? this.#handover(way, target.http, stream) : this.#tunnel(way, stream);
  }

  #tunnel(way: Way, stream: Socket): Destination {
    const { name, target, request, release } = way;
    return {
      protocols: ['binary', 'base64'],
      maxMessageBytes: MAX_TUNNEL_MESSAGE_BYTES,
      open: ({ ws, protocol }) => {
        const wire = protocol === 'base64' ? 'base64' : 'binary';
        this.#proxy.tunnels.add(tunnel(ws, stream, wire, this.#options.proxy), { name, target, request });
        return silentGuest;
      },
      abandon: () => {
        release();
        stream.destroy();
      },
    };
  }

  #handover(way: Way, http: HttpAddress, stream: Socket): Handover {
    const { name, target, request, release, passage } = way;
    const { trustProxy, proxy = {} } = this.#options;
    return {
      take: (_, socket, head) => {
        const forwarded = forwardUpgrade({ request, socket: socket as Socket, head }, stream, {
          ...proxy,
          ...passage,
          target: http,
          trustProxy,
          answerTimeoutMs: proxy.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
          refuse: (error) => {
            release();
            this.#fault('proxy', error);
            refuse(socket, refusalOf(error));
          },
        });
        this.#proxy.tunnels.add(forwarded, { name, target, request });
      },
      abandon: () => {
        release();
        stream.destroy();
      },
    };
  }

  #refusal(reason: unknown, signal: AbortSignal): unknown {
    if (reason instanceof Refusal || signal.aborted) return reason;
    this.#fault('proxy', reason);
    return refusalOf(reason);
  }

  async #toHub(request: IncomingMessage): Promise<Destination> {
    const { maxMessageBytes, maxPatterns, handshakeTimeoutMs } = this.#options;
    const audience = await authorized(this.#options.authorize, request);
    const context = { hub: this.#hub, audience, maxPatterns, handshakeTimeoutMs };
    return {
      protocols: [SUBPROTOCOL, 'base64', 'binary'],
      preferred: SUBPROTOCOL,
      maxMessageBytes,
      open: (entrance) =>
        entrance.protocol === SUBPROTOCOL
          ? new Session(entrance, context)
          : new LegacySession(entrance, context),
    };
  }
}
