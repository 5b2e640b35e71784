import { Agent, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { HttpAddress } from './target.ts';

/** How a request looks to the target. */
export interface PassageOptions {
  target: HttpAddress;
  /** Path and query below the target's own; without one the target's own URL is asked for and nothing else. */
  rest?: string;
  /** What `rest` was cut off from, told as `X-Forwarded-Prefix`. */
  prefix?: string;
  /** Believe the `X-Forwarded-*` and `Forwarded` of the client and add to the first; else they are replaced. */
  trustProxy?: boolean | number;
}

/** What a proxy says of a client, or of its user. CGI and its heirs take `_` for `-`. */
const FORWARDED = /^(x[-_]forwarded[-_]|forwarded$)/;

/**
 * What http-proxy is given in the request's place: its address and headers as the target is to see them. The host's
 * own request stays as it is, and the URL with its token is seen neither by the target nor in http-proxy's debugging.
 */
export function requestForTarget(request: IncomingMessage, options: PassageOptions): IncomingMessage {
  const { socket, method, httpVersion, httpVersionMajor, httpVersionMinor } = request;
  const facade = {
    method,
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
    socket,
    connection: socket,
    url: options.rest ?? '',
    headers: forwardedHeaders(request, options),
    on: (...listener: Parameters<IncomingMessage['on']>) => request.on(...listener),
  };
  return facade as unknown as IncomingMessage;
}

function forwardedHeaders(request: IncomingMessage, options: PassageOptions): IncomingHttpHeaders {
  const headers = { ...request.headers };
  const { trustProxy = false, prefix } = options;
  if (!trustProxy) for (const name in headers) if (FORWARDED.test(name)) delete headers[name];
  const address = request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '');
  const chain = [headers['x-forwarded-for'], address].filter(Boolean).join(', ');
  if (chain) headers['x-forwarded-for'] = chain;
  headers['x-forwarded-proto'] ??= (request.socket as Partial<TLSSocket>).encrypted ? 'https' : 'http';
  if (headers.host) headers['x-forwarded-host'] ??= headers.host;
  if (prefix) headers['x-forwarded-prefix'] ??= prefix;
  return headers;
}

/** The target as http-proxy wants it. Where to connect is decided by then; this is the path there. */
export function targetUrl(target: HttpAddress): URL {
  return new URL(typeof target === 'string' ? target : (target.path ?? '/'), 'http://localhost');
}

/** Gives http-proxy the one connection that is already open. */
export class OpenConnection extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: false, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): Socket {
    return this.#socket;
  }
}
