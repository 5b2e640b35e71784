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

  constructor({ socket, method, url, headers }: IncomingMessage) {
    this.#socket = socket;
    this.#head = JSON.stringify({ method, url, headers });
  }

  get audiences() {
    return NOBODY;
  }

  get request(): IncomingMessage {
    const head = JSON.parse(this.#head) as Pick<IncomingMessage, 'method' | 'url' | 'headers'>;
    const rawHeaders = Object.entries(head.headers).flatMap(([name, value]) => [name, String(value)]);
    return Object.assign(new IncomingMessage(this.#socket), head, { rawHeaders }, HTTP_1_1);
  }
}

const HTTP_1_1 = {
  httpVersion: '1.1',
  httpVersionMajor: 1,
  httpVersionMinor: 1,
  upgrade: true,
  complete: true,
};
