import type { IncomingMessage } from 'node:http';
import { HUB_TOKEN, SUBPROTOCOL } from '../protocol/wire.ts';
import { Refusal } from './refusal.ts';

/** Longest `token` parameter, in characters: a name with room to spare. */
const MAX_TOKEN_LENGTH = 1024;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The name that the request's `token` stands for: base64url, padding optional. Without a token a `reqcast.v1` client
 * means the hub.
 *
 * @throws Refusal 400
 */
export function tokenName(request: IncomingMessage): string {
  const token = new URLSearchParams(request.url?.split('?')[1] ?? '').get('token');
  if (!token) {
    if (offeredProtocols(request).includes(SUBPROTOCOL)) return HUB_TOKEN;
    throw new Refusal(400, 'MISSING_TOKEN', 'The URL needs ?token=<base64url of a name>.');
  }
  // URLSearchParams reads "+" as a space, and plain base64 has it.
  const text = token.replace(/ /g, '+');
  if (text.length > MAX_TOKEN_LENGTH || !/^[\w+/-]+={0,2}$/.test(text)) throw badToken();
  try {
    const name = decoder.decode(Buffer.from(text, 'base64'));
    if (name) return name;
  } catch {}
  throw badToken();
}

function badToken(): Refusal {
  return new Refusal(400, 'BAD_TOKEN', 'The token is not the base64url of a name.');
}

/** All that the client offers, whichever header line it is on. */
export function offeredProtocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'] ?? '';
  return header.split(',').flatMap((name) => name.trim() || []);
}
