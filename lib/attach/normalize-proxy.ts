import { ReqcastError } from '../protocol/errors.ts';
import { assertNames } from '../protocol/names.ts';
import { MIN_SECRET_BYTES, type TokenSecret } from '../proxy/issued-tokens.ts';
import { refuse } from './invalid-option.ts';
import { PROXY_NAMES } from './option-names.ts';
import type { AttachOptions, ProxyOptions } from './options.ts';

/** The longest that a timer of Node's can wait. */
const MAX_MS = 2 ** 31 - 1;

const NUMBERS = {
  connectTimeoutMs: MAX_MS,
  idleTimeoutMs: MAX_MS,
  maxDurationMs: MAX_MS,
  maxBytes: Number.MAX_SAFE_INTEGER,
} as const;

/** @throws ReqcastError `INVALID_OPTION` or `PROXY_WITHOUT_AUTHORIZE` */
export function assertProxy({ proxy, authorize }: AttachOptions): void {
  if (!proxy) return;
  assertNames('proxy', proxy, PROXY_NAMES);
  const { targets } = proxy;
  if (targets !== undefined && (targets === null || !['object', 'function'].includes(typeof targets)))
    refuse('proxy.targets', targets, 'a record, a Map, a function or tokenFile(path)');
  for (const [name, most] of Object.entries(NUMBERS)) {
    const value = proxy[name as keyof typeof NUMBERS];
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= most))
      refuse(`proxy.${name}`, value, `a whole number from 1 to ${most}`);
  }
  for (const name of ['authorize', 'user'] as const)
    if (proxy[name] !== undefined && typeof proxy[name] !== 'function')
      refuse(`proxy.${name}`, proxy[name], 'a function');
  assertSockets(proxy);
  secretsOf(proxy);
  if (!proxy.authorize && !authorize)
    throw new ReqcastError(
      'PROXY_WITHOUT_AUTHORIZE',
      'Option proxy needs an authorize function, its own or the attachment’s: a tunnel gives whoever reaches this ' +
        'server what only this machine could reach. Give authorize: () => true if that is what you want.',
    );
}

function assertSockets({ socketDir, socketOwners }: ProxyOptions): void {
  if (socketDir !== undefined && (typeof socketDir !== 'string' || socketDir === ''))
    refuse('proxy.socketDir', socketDir, 'the path of a directory');
  if (socketOwners === undefined) return;
  if (socketDir === undefined) refuse('proxy.socketOwners', socketOwners, 'given with socketDir');
  if (!Array.isArray(socketOwners) || !socketOwners.every((uid) => Number.isInteger(uid) && uid >= 0))
    refuse('proxy.socketOwners', socketOwners, 'a list of user ids');
}

/** The secrets that issued tokens are signed with, the first signs; none: one is made. */
export function secretsOf({ tokenSecret }: ProxyOptions = {}): readonly TokenSecret[] | undefined {
  if (tokenSecret === undefined) return undefined;
  const secrets = Array.isArray(tokenSecret) ? tokenSecret : [tokenSecret as TokenSecret];
  const longEnough = (secret: unknown) =>
    (typeof secret === 'string' || secret instanceof Uint8Array) &&
    Buffer.byteLength(secret) >= MIN_SECRET_BYTES;
  // Without the value: it may be most of a secret.
  if (secrets.length === 0 || !secrets.every(longEnough))
    refuse(
      'proxy.tokenSecret',
      'too short or no secret',
      `${MIN_SECRET_BYTES} bytes or more, or a list of such`,
    );
  return secrets;
}
