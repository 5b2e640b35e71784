import type { Target } from './target.ts';

/** What one line of a token file says. */
export type TokenLine = { readonly token: string; readonly target: Target } | { readonly problem: string };

/**
 * Reads a line of websockify's token files: `token: host:port` or `token: unix_socket:/path`, a colon and white
 * space between the two. Nothing for a blank line or a `#` comment.
 */
export function parseTokenLine(line: string): TokenLine | undefined {
  const text = line.trim();
  if (text === '' || text[0] === '#') return undefined;
  const parts = /^(.*?):\s+(.*)$/.exec(text);
  const [, token = '', where = ''] = parts ?? [];
  if (token === '') return { problem: 'it is not "token: host:port" or "token: unix_socket:/path"' };
  const target = parseWhere(where.trim());
  return typeof target === 'string' ? { problem: target } : { token, target };
}

function parseWhere(where: string): Target | string {
  const [, socketPath] = /^unix_socket:(.*)$/.exec(where) ?? [];
  if (socketPath !== undefined)
    return socketPath.startsWith('/') ? { socketPath } : 'unix_socket: is not followed by an absolute path';
  // The last colon: an IPv6 address has more of them, with and without brackets.
  const at = where.lastIndexOf(':');
  const host = where.slice(0, Math.max(at, 0)).replace(/^\[(.*)\]$/, '$1');
  const port = where.slice(at + 1);
  if (host === '' || /[\s[\]]/.test(host)) return 'there is no host';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535)
    return 'the port is not a number from 1 to 65535';
  return { host, port: Number(port) };
}
