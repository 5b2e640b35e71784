import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection } from '../websocket/destination.ts';

const NOBODY: readonly string[] = [];

/**
 * The connection of a request that nobody was asked about, so nobody has left anything on it: its head as text, a
 * fourth of what the request takes, and a request again when `disconnect` wants one. Most connections are idle, and
 * what they were asked with is the largest thing that is kept of them.
 */
export class KeptRequest implements Connection {
  readonly #socket: Socket;
  readonly #head: string;

  constructor({ socket, url, rawHeaders }: IncomingMessage) {
    this.#socket = socket;
    // A line end is in none of them. The method of a handshake is GET.
    this.#head = [url, ...rawHeaders].join('\n');
  }

  get audiences() {
    return NOBODY;
  }

  get request(): IncomingMessage {
    const [url, ...headers] = this.#head.split('\n') as [string, ...string[]];
    const request = new IncomingMessage(this.#socket) as IncomingMessage & HeaderLines;
    request._addHeaderLines(headers, headers.length);
    return Object.assign(request, { method: 'GET', url, ...HTTP_1_1 });
  }
}

const HTTP_1_1 = {
  httpVersion: '1.1',
  httpVersionMajor: 1,
  httpVersionMinor: 1,
  upgrade: true,
  complete: true,
};

/** How Node's own parser gives a request its headers: joined, and told by small letters, when somebody looks. */
interface HeaderLines {
  _addHeaderLines(headers: readonly string[], length: number): void;
}
