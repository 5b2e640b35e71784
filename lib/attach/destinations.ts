import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Hub } from '../hub/hub.ts';
import { ReqcastError } from '../protocol/errors.ts';
import { HUB_TOKEN, SUBPROTOCOL } from '../protocol/wire.ts';
import { connectTarget, httpStatusOf } from '../proxy/connect.ts';
import { findTarget } from '../proxy/target.ts';
import { tunnel } from '../proxy/tunnel.ts';
import type { Connection, Destination, Guest } from '../websocket/destination.ts';
import { LegacySession } from '../websocket/legacy-session.ts';
import { Refusal } from '../websocket/refusal.ts';
import { Session } from '../websocket/session.ts';
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
    const { maxMessageBytes, maxMessagesPerSecond, maxPatterns, handshakeTimeoutMs } = this.#options;
    const authorize = () => connect(this.#options.authorize, request);
    const connection = await authorize();
    const { audiences } = connection;
    const context = { hub: this.#hub, audiences, maxPatterns, handshakeTimeoutMs };
    return {
      protocols: [SUBPROTOCOL, 'base64', 'binary'],
      preferred: SUBPROTOCOL,
      maxMessageBytes,
      maxMessagesPerSecond,
      connection,
      authorize,
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
    const ask = () => connect(proxy.authorize ?? authorize, request);
    const connection = await ask();
    try {
      const target = await findTarget(proxy.targets, name, request);
      if (!target) throw unknown;
      const { connectTimeoutMs = 10_000 } = proxy;
      const stream = await connectTarget(target, { connectTimeoutMs, signal });
      return {
        protocols: ['binary', 'base64'],
        maxMessageBytes: MAX_TUNNEL_MESSAGE_BYTES,
        connection,
        authorize: ask,
        open: ({ ws, protocol }) => {
          const ended = tunnel(ws, stream, protocol === 'base64' ? 'base64' : 'binary');
          ended.catch((fault: unknown) => this.#fault('proxy', fault));
          return tunnelGuest(stream);
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
}

/**
 * Asks who this is. Each time with a request as it came in: what middleware left on it the last time, a session for
 * instance, would be taken for the answer.
 *
 * @throws Refusal 401
 */
async function connect(authorize: Authorize | undefined, original: IncomingMessage): Promise<Connection> {
  const request: IncomingMessage = Object.create(original);
  const given = authorize ? await authorize(request) : true;
  if (given === true) return { request, audiences: [] };
  if (Array.isArray(given)) return { request, audiences: given };
  throw new Refusal(401, 'UNAUTHORIZED', 'Log in first.');
}

/** A tunnel goes on as long as its stream does, and its wire has no words of its own. */
function tunnelGuest(stream: Socket): Guest {
  return { beat() {}, bye() {}, meet() {}, leave: () => stream.destroy() };
}
