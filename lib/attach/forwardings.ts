import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ReqcastError } from '../protocol/errors.ts';
import { assertNames } from '../protocol/names.ts';
import { connectTarget, httpStatusOf } from '../proxy/connect.ts';
import { forwardRequest } from '../proxy/forward-request.ts';
import { confineTarget } from '../proxy/socket-dir.ts';
import { checkTarget, type HttpAddress } from '../proxy/target.ts';
import { Arrival } from '../websocket/arrival.ts';
import { Refusal } from '../websocket/refusal.ts';
import { authorized } from './authorized.ts';
import type { Fault } from './faults.ts';
import { refuse } from './invalid-option.ts';
import type { NormalizedOptions } from './normalize.ts';
import { FORWARDING_NAMES } from './option-names.ts';
import type { Authorize, HttpForwardingOptions } from './options.ts';

/** A plugin may work for so long before it answers: as long as reverse proxies usually wait, and a bit more. */
const ANSWER_TIMEOUT_MS = 120_000;

/** Where the requests below a prefix go. */
export interface Forwarding {
  /** Without a slash at its end. */
  readonly prefix: string;
  readonly target: { http: HttpAddress };
  readonly authorize: Authorize;
  readonly answerTimeoutMs: number;
}

/** The plugins that run in processes of their own, by the prefix of their URLs. */
export class Forwardings {
  readonly #options: NormalizedOptions;
  readonly #fault: Fault;
  readonly #table = new Map<string, Forwarding>();

  constructor(options: NormalizedOptions, fault: Fault) {
    this.#options = options;
    this.#fault = fault;
  }

  /**
   * From now on requests and WebSockets below the prefix are the target's. Returns the undo.
   *
   * @throws ReqcastError `INVALID_OPTION`, `PATH_TAKEN`, `TARGET_INVALID` or `PROXY_WITHOUT_AUTHORIZE`
   */
  add(given: HttpForwardingOptions): () => void {
    const forwarding = this.#checked(given);
    const { prefix } = forwarding;
    if (this.#table.has(prefix))
      throw new ReqcastError('PATH_TAKEN', `Prefix ${prefix || '/'} is forwarded already: undo that first.`);
    this.#table.set(prefix, forwarding);
    return () => {
      if (this.#table.get(prefix) === forwarding) this.#table.delete(prefix);
    };
  }

  #checked(given: HttpForwardingOptions): Forwarding {
    assertNames('proxy.http', given, FORWARDING_NAMES);
    const { prefix, target, answerTimeoutMs = ANSWER_TIMEOUT_MS } = given;
    if (typeof prefix !== 'string' || !/^\/[^\s?#]*$/.test(prefix))
      refuse('prefix', prefix, 'a path that begins with "/", without query');
    if (!Number.isInteger(answerTimeoutMs) || answerTimeoutMs < 1)
      refuse('answerTimeoutMs', answerTimeoutMs, 'a whole number, 1 or more');
    const { proxy } = this.#options;
    const authorize = given.authorize ?? proxy?.authorize ?? this.#options.authorize;
    if (!authorize)
      throw new ReqcastError(
        'PROXY_WITHOUT_AUTHORIZE',
        'proxy.http needs an authorize function, its own or the attachment’s. Give authorize: () => true if whoever ' +
          'reaches this server may reach that one.',
      );
    const checked = checkTarget({ http: target }, `The target of prefix ${prefix}`) as Forwarding['target'];
    return { prefix: prefix.replace(/\/+$/, ''), target: checked, authorize, answerTimeoutMs };
  }

  /** The forwarding with the longest prefix of this URL's path. */
  at(url: string): Forwarding | undefined {
    if (this.#table.size === 0) return undefined;
    const path = resolved(url).split('?')[0] as string;
    let found: Forwarding | undefined;
    for (const forwarding of this.#table.values()) {
      const { prefix } = forwarding;
      const below = path === prefix || (path.startsWith(prefix) && path[prefix.length] === '/');
      if (below && prefix.length >= (found?.prefix.length ?? 0)) found = forwarding;
    }
    return found;
  }

  /** Takes a request if it is below a prefix. */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const forwarding = this.at(urlOf(request));
    if (!forwarding) return false;
    const arrival = new Arrival(response, this.#options.handshakeTimeoutMs);
    arrival
      .decide(this.#connect(forwarding, request, arrival.signal), (late) => late.destroy())
      .then((stream) => this.#forward(forwarding, request, response, stream))
      .catch((reason: unknown) => {
        if (!(reason instanceof Refusal)) this.#fault('proxy', reason);
        answer(response, reason instanceof Refusal ? reason : refusalOf(reason));
      });
    return true;
  }

  async #connect(
    { authorize, prefix, target }: Forwarding,
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<Socket> {
    await authorized(authorize, request, prefix);
    const { connectTimeoutMs, ...proxy } = this.#options.proxy ?? {};
    return connectTarget(await confineTarget(target, proxy), { connectTimeoutMs, signal });
  }

  #forward(
    forwarding: Forwarding,
    request: IncomingMessage,
    response: ServerResponse,
    stream: Socket,
  ): Promise<void> {
    const { target, answerTimeoutMs, prefix } = forwarding;
    const { trustProxy } = this.#options;
    const rest = restOf(request, forwarding);
    return forwardRequest(request, response, stream, {
      target: target.http,
      rest,
      prefix,
      trustProxy,
      answerTimeoutMs,
    });
  }
}

/** As it came: routers rewrite `request.url`. */
const urlOf = (request: IncomingMessage) =>
  (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/';

/** Path and query as http-proxy will ask for them, `.` and `..` resolved: what is below a prefix is to stay there. */
function resolved(url: string): string {
  if (!url.startsWith('/') || !/[.\\%]/.test(url)) return url;
  const { pathname, search } = new URL(`http://localhost${url}`);
  return pathname + search;
}

/** The URL below the prefix. */
export function restOf(request: IncomingMessage, { prefix }: Forwarding): string {
  const rest = resolved(urlOf(request)).slice(prefix.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** What the client is told when a target fails. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ReqcastError)) return new Refusal(500, 'FAILED', 'The server failed.');
  const { code } = error;
  if (code === 'BODY_LOST') return new Refusal(500, code, 'The body of the request was read before.');
  return new Refusal(httpStatusOf(error), code, 'The target could not be reached.');
}

function answer(response: ServerResponse, { status, code, message, headers }: Refusal): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers });
  response.end(`${code}: ${message}\n`);
}
