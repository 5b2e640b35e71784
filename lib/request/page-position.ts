import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { formatPosition, type Position } from '../protocol/position.ts';

const NAME = 'Server-Timing';

/** What a browser loads with these has a navigation timing of its own. */
const PAGES = new Set(['document', 'iframe', 'frame']);

/** A response that passes both the server and our middleware, or two attachments, tells the first one's. */
const told = new WeakSet<ServerResponse>();

/**
 * Lets a page resume from its own load: its response tells the position at which the request came, so what changes
 * while the page is made and opened is replayed (Server Timing, W3C). Other responses are left alone.
 */
export function tellPagePosition(response: ServerResponse, position: Position): void {
  if (told.has(response)) return;
  told.add(response);
  const metric = `reqcast;desc="${formatPosition(position)}"`;
  const { writeHead } = response;
  // Last, so that an app that sets the header, or gives it to writeHead, keeps its own metrics beside ours.
  response.writeHead = function (this: ServerResponse, ...args: unknown[]) {
    response.writeHead = writeHead;
    const at = args.findLastIndex((arg) => typeof arg === 'object' && arg !== null);
    const given = args[at];
    if (Array.isArray(given) && response.getHeaderNames().length === 0) {
      // Were ours set beside it, Node would keep only the last Set-Cookie of the list, and refuse one of pairs.
      args[at] = given.concat(Array.isArray(given[0]) ? [[NAME, metric]] : [NAME, metric]);
    } else {
      if (isHeaders(given)) args[at] = withMetric(given, metric);
      response.appendHeader(NAME, metric);
    }
    return writeHead.apply(this, args as Parameters<typeof writeHead>);
  } as typeof writeHead;
}

/** Whether a browser loads a page with this request. */
export function isPage({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET') return false;
  const dest = headers['sec-fetch-dest'];
  return dest === undefined ? headers.accept?.includes('text/html') === true : PAGES.has(String(dest));
}

function isHeaders(value: unknown): value is OutgoingHttpHeaders {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Headers given to writeHead replace those set before. */
function withMetric(headers: OutgoingHttpHeaders, metric: string): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) =>
      name.toLowerCase() === NAME.toLowerCase() ? [name, [value, metric].flat().map(String)] : [name, value],
    ),
  );
}
