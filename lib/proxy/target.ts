import type { IncomingMessage } from 'node:http';
import { ReqcastError } from '../protocol/errors.ts';

/** `sun_path` has 108 bytes on Linux and 104 elsewhere, the last of them a zero. A longer one might be cut. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** What a tunnel leads to. */
export type Target = { socketPath: string } | { host: string; port: number };

/** From a token's name to where it leads; `undefined` is nowhere. A Map may change while it is in use. */
export type Targets =
  | Record<string, Target>
  | Map<string, Target>
  | ((name: string, request: IncomingMessage) => Target | undefined | Promise<Target | undefined>);

/**
 * The target of this name, with nothing in it but what a target has.
 *
 * @throws ReqcastError `TARGET_INVALID`; `CALLBACK_FAILED` if a function was given and throws
 */
export async function findTarget(
  targets: Targets,
  name: string,
  request: IncomingMessage,
): Promise<Target | undefined> {
  const found: unknown = await lookUp(targets, name, request);
  return found === undefined || found === null ? undefined : checked(found, name);
}

async function lookUp(targets: Targets, name: string, request: IncomingMessage): Promise<unknown> {
  if (targets instanceof Map) return targets.get(name);
  if (typeof targets !== 'function') return Object.hasOwn(targets, name) ? targets[name] : undefined;
  try {
    return await targets(name, request);
  } catch (cause) {
    const message = `The proxy's targets function threw for ${JSON.stringify(name)}.`;
    throw new ReqcastError('CALLBACK_FAILED', message, { cause });
  }
}

function checked(found: unknown, name: string): Target {
  const { socketPath, host, port } = Object(found) as Record<string, unknown>;
  const refuse = (problem: string): never => {
    const wanted = '{ socketPath } or { host, port }';
    throw new ReqcastError(
      'TARGET_INVALID',
      `The target of ${JSON.stringify(name)} is refused: ${problem}. Give ${wanted}.`,
    );
  };
  if (socketPath !== undefined) {
    if (host !== undefined || port !== undefined) return refuse('it has socketPath and host or port');
    if (typeof socketPath !== 'string' || socketPath === '') return refuse('socketPath is not a path');
    if (socketPath.includes('\0')) return refuse('socketPath contains a zero byte');
    if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES)
      return refuse(`socketPath is longer than ${MAX_SOCKET_PATH_BYTES} bytes`);
    return { socketPath };
  }
  if (typeof host !== 'string' || host === '' || /[\s\0]/.test(host))
    return refuse('host is not a host name');
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535)
    return refuse('port is not a whole number from 1 to 65535');
  return { host, port };
}
