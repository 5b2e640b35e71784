import type { IncomingMessage } from 'node:http';
import { ReqcastError } from '../protocol/errors.ts';

/** `sun_path` has 108 bytes on Linux and 104 elsewhere, the last of them a zero. A longer one might be cut. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** A server that speaks HTTP: the URL of its root, `http:` only, or a UNIX socket and the path there. */
export type HttpAddress = string | { socketPath: string; path?: string };

/**
 * What a tunnel leads to. `socketPath` and `host` with `port`: bytes. `http`: a server that speaks WebSocket itself,
 * to which the client's handshake is forwarded.
 */
export type Target = { socketPath: string } | { host: string; port: number } | { http: HttpAddress };

/** Where to connect to. */
export type Address = { socketPath: string } | { host: string; port: number };

/** From a token's name to where it leads; `undefined` is nowhere. A Map may change while it is in use. */
export type TargetTable =
  | Record<string, Target>
  | Map<string, Target>
  | ((name: string, request: IncomingMessage) => Target | undefined | Promise<Target | undefined>);

/**
 * The target of this name, with nothing in it but what a target has.
 *
 * @throws ReqcastError `TARGET_INVALID`; `CALLBACK_FAILED` if a function was given and throws
 */
export async function findTarget(
  targets: TargetTable,
  name: string,
  request: IncomingMessage,
): Promise<Target | undefined> {
  const found: unknown = await lookUp(targets, name, request);
  if (found === undefined || found === null) return undefined;
  return checkTarget(found, `The target of ${JSON.stringify(name)}`);
}

async function lookUp(targets: TargetTable, name: string, request: IncomingMessage): Promise<unknown> {
  if (targets instanceof Map) return targets.get(name);
  if (typeof targets !== 'function') return Object.hasOwn(targets, name) ? targets[name] : undefined;
  try {
    return await targets(name, request);
  } catch (cause) {
    const message = `The proxy's targets function threw for ${JSON.stringify(name)}.`;
    throw new ReqcastError('CALLBACK_FAILED', message, { cause });
  }
}

/**
 * A copy with nothing in it but what a target has.
 *
 * @param what how the message names it
 * @throws ReqcastError `TARGET_INVALID`
 */
export function checkTarget(found: unknown, what: string): Target {
  const { socketPath, host, port, http } = Object(found) as Record<string, unknown>;
  const refuse = (problem: string): never => {
    const wanted = '{ socketPath }, { host, port } or { http }';
    throw new ReqcastError('TARGET_INVALID', `${what} is refused: ${problem}. Give ${wanted}.`);
  };
  const given = [socketPath ?? (host === undefined ? port : host), http].filter((part) => part !== undefined);
  if (given.length > 1) return refuse('it has http and another address');
  if (http !== undefined) return { http: checkHttp(http, refuse) };
  if (socketPath !== undefined) {
    if (host !== undefined || port !== undefined) return refuse('it has socketPath and host or port');
    return { socketPath: checkSocketPath(socketPath, refuse) };
  }
  if (typeof host !== 'string' || host === '' || /[\s\0]/.test(host))
    return refuse('host is not a host name');
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535)
    return refuse('port is not a whole number from 1 to 65535');
  return { host, port };
}

function checkSocketPath(path: unknown, refuse: (problem: string) => never): string {
  if (typeof path !== 'string' || path === '') return refuse('socketPath is not a path');
  if (path.includes('\0')) return refuse('socketPath contains a zero byte');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    return refuse(`socketPath is longer than ${MAX_SOCKET_PATH_BYTES} bytes`);
  return path;
}

function checkHttp(http: unknown, refuse: (problem: string) => never): HttpAddress {
  if (typeof http === 'string') {
    const url = URL.canParse(http) ? new URL(http) : undefined;
    if (url?.protocol !== 'http:' || url.username !== '' || url.password !== '')
      return refuse('http is not an http: URL without credentials');
    return url.href;
  }
  const { socketPath, path } = Object(http) as Record<string, unknown>;
  if (path !== undefined && (typeof path !== 'string' || !/^\/[^\s#]*$/.test(path)))
    return refuse('http.path does not begin with "/"');
  return {
    socketPath: checkSocketPath(socketPath, refuse),
    ...(path !== undefined && { path: path as string }),
  };
}

/** Where the target's bytes go. */
export function addressOf(target: Target): Address {
  if (!('http' in target)) return target;
  if (typeof target.http !== 'string') return { socketPath: target.http.socketPath };
  const { hostname, port } = new URL(target.http);
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 80) };
}

/** The target in words, without its URL's query, in which secrets may be. */
export function describeTarget(target: Target): string {
  if ('http' in target) {
    const { http } = target;
    const url = typeof http === 'string' ? http : `http+unix:${http.socketPath}${http.path ?? ''}`;
    return url.replace(/\?.*$/s, '');
  }
  if ('socketPath' in target) return target.socketPath;
  return target.host.includes(':') ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}
