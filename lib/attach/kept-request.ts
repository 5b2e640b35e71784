import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection } from '../websocket/destination.ts';
import type { SharedTexts } from './shared-text.ts';

const NOBODY: readonly string[] = [];

/** Headers that all pages in one kind of browser have in common. */
const COMMON =
  /^(?!sec-websocket-key)(sec-|accept|host$|origin$|user-agent$|connection$|upgrade$|pragma$|cache-|dnt$)/i;

/**
 * The connection of a request that nobody was asked about, so nobody has left anything on it: its head as text, a
 * tenth of what the request takes, and a request again when `disconnect` wants one. Most connections are idle, and
 * what they were asked with is the largest thing that is kept of them.
 */
export class KeptRequest implements Connection {
  readonly #socket: Socket;
  /** Method, URL, then names and values, a line each: none of them can have a line break. */
  readonly #own: string;
  readonly #common: string;

  constructor({ socket, method = '', url = '', headers }: IncomingMessage, texts: SharedTexts) {
    const own = [method, url];
    const common = ['', ''];
    for (const name in headers)
      for (const value of [headers[name]].flat())
        (COMMON.test(name) ? common : own).push(name, value as string);
    this.#socket = socket;
    this.#own = own.join('\n');
    this.#common = texts.of(common.join('\n'));
  }

  get audiences() {
    return NOBODY;
  }

  get request(): IncomingMessage {
    const [method, url, ...own] = this.#own.split('\n');
    const rawHeaders = [...this.#common.split('\n').slice(2), ...own];
    const headers: IncomingMessage['headers'] = {};
    for (let i = 0; i < rawHeaders.length; i += 2)
      add(headers, rawHeaders[i] as string, rawHeaders[i + 1] as string);
    return Object.assign(new IncomingMessage(this.#socket), { method, url, headers, rawHeaders }, HTTP_1_1);
  }
}

/** The one header that Node gives as a list. */
function add(headers: IncomingMessage['headers'], name: string, value: string): void {
  if (name === 'set-cookie') headers[name] = [...(headers[name] ?? []), value];
  else headers[name] = value;
}

const HTTP_1_1 = {
  httpVersion: '1.1',
  httpVersionMajor: 1,
  httpVersionMinor: 1,
  upgrade: true,
  complete: true,
};

/** Lets a request that is kept have its texts in common with others. It says what it said. */
export function shareTexts({ headers, rawHeaders }: IncomingMessage, texts: SharedTexts): void {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = texts.of(rawHeaders[i] as string);
    rawHeaders[i] = name;
    if (COMMON.test(name)) rawHeaders[i + 1] = texts.of(rawHeaders[i + 1] as string);
  }
  for (const name in headers) if (COMMON.test(name)) headers[name] = texts.of(headers[name] as string);
}
