import type { IncomingMessage } from 'node:http';
import type { Hub } from '../hub/hub.ts';
import { ReqcastError } from '../protocol/errors.ts';
import { HUB_TOKEN, SUBPROTOCOL } from '../protocol/wire.ts';
import { connectTarget, httpStatusOf } from '../proxy/connect.ts';
import { findTarget } from '../proxy/target.ts';
import { tunnel } from '../proxy/tunnel.ts';
import type { Destination } from '../websocket/endpoint.ts';
import { LegacySession } from '../websocket/legacy-session.ts';
import { Refusal } from '../websocket/refusal.ts';
import { Session } from '../websocket/session.ts';
import { silentGuest } from '../websocket/subscription.ts';
import type { Fault } from './faults.ts';
import type { NormalizedOptions } from './normalize.ts';
import type { Authorize } from './options.ts';

/** The largest message taken from a tunnel's client: noVNC's clipboard and file transfers stay far below. */
const MAX_TUNNEL_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Where tokens lead: `woknotifications` to the hub, other names through the proxy's table. */
export class Destinations {
  readonly #options: NormalizedOptions;
  readonly #hub: Hub;
  readonly #fault: Fault;

  constructor(options: NormalizedOptions, hub: Hub, fault: Fault) {
    this.#options = options;
    this.#hub = hub;
    this.#fault = fault;
  }

  /** @throws Refusal */
  resolve(name: string, request: IncomingMessage, signal: AbortSignal): Promise<Destination> {
    return name === HUB_TOKEN ? this.#toHub(request) : this.#toTarget(name, request, signal);
  }

  async #toHub(request: IncomingMessage): Promise<Destination> {
    const { maxMessageBytes, maxPatterns, handshakeTimeoutMs } = this.#options;
    const audience = await this.#authorize(this.#options.authorize, request);
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

  async #toTarget(name: string, request: IncomingMessage, signal: AbortSignal): Promise<Destination> {
    const { proxy, authorize } = this.#options;
    const unknown = new Refusal(404, 'UNKNOWN_TOKEN', 'This token leads nowhere.');
    if (!proxy) throw unknown;
    await this.#authorize(proxy.authorize ?? authorize, request);
    try {
      const target = await findTarget(proxy.targets, name, request);
      if (!target) throw unknown;
      const { connectTimeoutMs = 10_000 } = proxy;
      const stream = await connectTarget(target, { connectTimeoutMs, signal });
      return {
        protocols: ['binary', 'base64'],
        maxMessageBytes: MAX_TUNNEL_MESSAGE_BYTES,
        open: ({ ws, protocol }) => {
          const ended = tunnel(ws, stream, protocol === 'base64' ? 'base64' : 'binary');
          ended.catch((fault: unknown) => this.#fault('proxy', fault));
          return silentGuest;
        },
        abandon: () => stream.destroy(),
      };
    } catch (error) {
      if (error instanceof Refusal || signal.aborted) throw error;
      this.#fault('proxy', error);
      const code = error instanceof ReqcastError ? error.code : 'FAILED';
      throw new Refusal(httpStatusOf(error), code, 'The target could not be reached.');
    }
  }

  async #authorize(authorize: Authorize | undefined, request: IncomingMessage): Promise<readonly string[]> {
    const given = authorize ? await authorize(request) : true;
    if (given === true) return [];
    if (Array.isArray(given)) return given;
    throw new Refusal(401, 'UNAUTHORIZED', 'Log in first.');
  }
}
