/** Stands where a secret was. */
export const REDACTED = '[redacted]';

const SECRETS = ['password', 'passwd', 'token', 'secret', 'authorization', 'cookie'];

/** Deeper than any sensible body; what lies below is left out. */
const MAX_DEPTH = 16;

/** The longest value that is logged, in characters of JSON: a log line, not an upload. */
const MAX_LENGTH = 16_384;

/** A digit and a comma. */
const LEAST_OF_A_VALUE = 2;

const TOO_LARGE = new Error('The value is too large.');

/** Replaces the values whose names contain a secret's name. */
export interface Redactor {
  /** A copy as JSON would have it, secrets replaced at any depth; `[too large]` for what is. */
  value(value: unknown): unknown;
  /** The URL with the secrets in its query replaced. */
  url(url: string): string;
}

/** @param more names beside `password`, `passwd`, `token`, `secret`, `authorization`, `cookie`; upper or lower case */
export function redactor(more: readonly string[] = []): Redactor {
  const names = [...SECRETS, ...more].map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const secret = new RegExp(names.join('|'), 'i');

  /** @param room for how many characters of JSON there is room, at most: what refers to itself has no end */
  const copy = (value: unknown, depth: number, room: { left: number }): unknown => {
    room.left -= typeof value === 'string' ? value.length : LEAST_OF_A_VALUE;
    if (room.left < 0) throw TOO_LARGE;
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    if (ArrayBuffer.isView(value)) return '[binary]';
    if (depth > MAX_DEPTH) return '[too deep]';
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1, room));
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
      return copy((value as { toJSON(): unknown }).toJSON(), depth + 1, room);
    const pairs = Object.entries(value);
    return Object.fromEntries(
      pairs.map(([name, item]) => [name, secret.test(name) ? REDACTED : copy(item, depth + 1, room)]),
    );
  };

  const bounded = (value: unknown): unknown => {
    const safe = copy(value, 0, { left: MAX_LENGTH });
    if ((JSON.stringify(safe)?.length ?? 0) > MAX_LENGTH) throw TOO_LARGE;
    return safe;
  };

  const pair = (text: string): string => {
    const at = text.indexOf('=');
    if (at < 0) return text;
    const name = text.slice(0, at);
    return secret.test(decoded(name)) ? `${name}=${REDACTED}` : text;
  };

  return {
    value: (value) => {
      try {
        return bounded(value);
      } catch (error) {
        if (error === TOO_LARGE) return '[too large]';
        throw error;
      }
    },
    url: (url) => {
      const at = url.indexOf('?');
      if (at < 0) return url;
      return (
        url.slice(0, at + 1) +
        url
          .slice(at + 1)
          .split('&')
          .map(pair)
          .join('&')
      );
    },
  };
}

/** Percent-decoded, or as it is where that is malformed. */
export function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
