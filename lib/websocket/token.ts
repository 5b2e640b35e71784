import type { IncomingMessage } from 'node:http';
import { HUB_TOKEN, SUBPROTOCOL } from '../protocol/wire.ts';
import { Refusal } from './refusal.ts';

/** Longest `token` parameter, in characters: a name with room to spare. */
const MAX_TOKEN_LENGTH = 1024;

/** What our own clients offer. */
const OURS = [SUBPROTOCOL];

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The token in a request's URL: as it is written there, and the name that it stands for if it is base64url. */
export interface WrittenToken {
  readonly text: string;
  readonly name?: string | undefined;
}

/**
 * The request's `token`. Without one a `reqcast.v1` client means the hub.
 *
 * @throws Refusal 400
 */
export function tokenOf(request: IncomingMessage): WrittenToken {
  const query = request.url?.split('?')[1];
  const token = query && new URLSearchParams(query).get('token');
  if (!token) {
    if (offeredProtocols(request).includes(SUBPROTOCOL)) return { text: '', name: HUB_TOKEN };
    throw new Refusal(400, 'MISSING_TOKEN', 'The URL needs ?token=<base64url of a name>.');
  }
  if (token.length > MAX_TOKEN_LENGTH) throw badToken();
  return { text: token, name: nameIn(token) };
}

/** Padding is optional. */
function nameIn(token: string): string | undefined {
  // URLSearchParams reads "+" as a space, and plain base64 has it.
  const text = token.replace(/ /g, '+');
  if (!/^[\w+/-]+={0,2}$/.test(text)) return undefined;
  try {
    return decoder.decode(Buffer.from(text, 'base64')) || undefined;
  } catch {
    return undefined;
  }
}

export function badToken(): Refusal {
  return new Refusal(400, 'BAD_TOKEN', 'The token is not the base64url of a name.');
}

/** All that the client offers, whichever header line it is on. */
export function offeredProtocols(request: IncomingMessage): readonly string[] {
  const header = request.headers['sec-websocket-protocol'] ?? '';
  if (header === SUBPROTOCOL) return OURS;
  return header.split(',').flatMap((name) => name.trim() || []);
}
