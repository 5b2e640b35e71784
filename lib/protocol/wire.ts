import { formatPosition, type Position, parsePosition } from './position.ts';

/** The WebSocket subprotocol of our own wire. */
export const SUBPROTOCOL = 'reqcast.v1';
/** The token's name that means the hub itself, as in WoK. */
export const HUB_TOKEN = 'woknotifications';
/** Client and server each say something at least this often. */
export const HEARTBEAT_MS = 30_000;

/** The request header in which a page names itself, so that it can tell what it caused itself. */
export const CLIENT_HEADER = 'Reqcast-Client';
/** What such a name may be. It is the page's secret: who knows it can hide from the page what they change. */
export const CLIENT_NAME = /^[\w-]{1,64}$/;
/** The mark that is made of it, in base64. */
export const CLIENT_MARK = /^[A-Za-z\d+/]{22}$/;

/** How a connection starts, or starts anew: the four answers to "what did I miss?". */
export type Answer = 'live' | 'replayed' | 'changed' | 'resync';

/** What a client says, one line each. */
export type ClientLine =
  | { readonly kind: 'since'; readonly position?: Position }
  | { readonly kind: 'add' | 'remove'; readonly pattern: string }
  | { readonly kind: 'heartbeat' };

/** Reads one line of a client, or nothing if it says nothing known. */
export function parseClientLine(line: string): ClientLine | undefined {
  if (line === 'heartbeat') return { kind: 'heartbeat' };
  if (line[0] === '+') return { kind: 'add', pattern: line.slice(1) };
  if (line[0] === '-') return { kind: 'remove', pattern: line.slice(1) };
  if (line === 'since -') return { kind: 'since' };
  if (!line.startsWith('since ')) return undefined;
  // A position that cannot be read is as good as one of another epoch: the answer is resync.
  return { kind: 'since', position: parsePosition(line.slice(6)) ?? { epoch: '-', offset: 0 } };
}

/**
 * `@<epoch>:<offset>`, with the answer when the line starts a connection or starts it anew; `resync` may add over how
 * many milliseconds the clients should spread their refreshing. In the answer's place, how many `since` were heard.
 */
export function positionLine(position: Position, answer?: Answer | number, overMs?: number): string {
  const said = answer ? ` ${answer}` : '';
  return `@${formatPosition(position)}${said}${overMs ? ` ${Math.round(overMs)}` : ''}\n`;
}

/** `<topic>` or `<topic> <json>`; after a line `~<mark>` when a request of the client with this mark was the cause. */
export function topicLine(topic: string, json?: string, mark?: string): string {
  const cause = mark === undefined ? '' : `~${mark}\n`;
  return json === undefined ? `${cause}${topic}\n` : `${cause}${topic} ${json}\n`;
}

/** The server is going; come back after so many milliseconds. */
export function byeLine(afterMs: number): string {
  return `bye ${Math.floor(afterMs)}\n`;
}
