import type { IncomingMessage } from 'node:http';
import type { RequestRecord } from '../journal/entry.ts';

/** What login middleware leaves on a request. */
interface Login {
  user?: unknown;
  auth?: { user?: unknown } & Record<string, unknown>;
  session?: { user?: unknown } | null;
}

const NAMES = ['username', 'name', 'login', 'email', 'id', 'sub'] as const;

/** Who is logged in, by the properties that Passport, express-session, express-jwt and basic auth set. */
export function defaultUser(request: IncomingMessage): string | undefined {
  const login = request as IncomingMessage & Login;
  return nameOf(login.user) ?? nameOf(login.session?.user) ?? nameOf(login.auth?.user) ?? nameOf(login.auth);
}

/** A user's name: the text or number itself, or the first naming property. */
export function nameOf(user: unknown): string | undefined {
  if (typeof user === 'string') return user || undefined;
  if (typeof user === 'number') return String(user);
  if (typeof user !== 'object' || user === null) return undefined;
  for (const property of NAMES) {
    const value = (user as Record<string, unknown>)[property];
    if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return String(value);
  }
  return undefined;
}

/** How IPv4 looks on a socket of both kinds. */
const MAPPED = '::ffff:';
const IPV4_MAPPED = /^::ffff:(?=\d+\.)/;

/**
 * The remote address; behind proxies of one's own the one that the outermost of them saw. Each adds what it saw at the
 * right of `X-Forwarded-For`; what stands further left anybody may have written. IPv4 is told as IPv4.
 */
export function addressOf(request: IncomingMessage, trustProxy: boolean | number): string | undefined {
  const proxies = Number(trustProxy);
  const address = (proxies > 0 && seenBy(request, proxies)) || request.socket?.remoteAddress;
  return address?.startsWith(MAPPED) ? address.replace(IPV4_MAPPED, '') : address;
}

function seenBy(request: IncomingMessage, proxies: number): string | undefined {
  const seen = String(request.headers['x-forwarded-for'] ?? '').split(',');
  return (seen.at(-proxies) ?? seen[0])?.trim();
}

/** The topic's first segment. */
export function defaultApp(topic: string | undefined): string | undefined {
  return topic?.slice(topic.indexOf('/') + 1).split('/')[0] || undefined;
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'Create',
  PUT: 'Update',
  PATCH: 'Update',
  DELETE: 'Delete',
};

/** E.g. `Create ginger users`. @param about a topic, or a URL */
export function sentence(method: string, about: string): string {
  const path = about.slice(about.indexOf('/'));
  const what = path.split('?')[0]?.split('/').filter(Boolean).join(' ') || '/';
  return `${VERBS[method] ?? method} ${what}`;
}

/** The sentence, and how it ended if not well: `Delete ginger users: failed with status 500`. */
export function defaultMessage({ outcome, status }: RequestRecord, said: string): string {
  if (outcome === 'aborted') return `${said}: the client went away`;
  return status >= 400 ? `${said}: failed with status ${status}` : said;
}
