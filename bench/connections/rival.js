import { fileURLToPath } from 'node:url';
import { Program } from '../support/program.js';
import { subscribers } from '../support/subscribers.js';

/** Where the server runs, and where its clients do. */
const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The rivals' names, the file of each in `peers/`, and what their clients say. */
const RIVALS = {
  reqcast: { peer: 'reqcast', handshake: 'reqcast' },
  'reqcast, authorizing': { peer: 'authorizing', handshake: 'reqcast' },
  ws: { peer: 'ws', handshake: 'ws' },
  'socket.io': { peer: 'socketio', handshake: 'socketio' },
};

/** One of those that are compared: a server in a process of its own, and its clients in another. */
export class Rival {
  #server;
  #clients;
  #handshake;
  #counted = 0;

  constructor(name) {
    const { peer, handshake } = RIVALS[name];
    const flags = (process.env.HOST_FLAGS ?? '').split(' ').filter(Boolean);
    this.#server = new Program(SERVER_CORE, process.execPath, '--expose-gc', ...flags, here('host.js'), peer);
    this.#handshake = handshake;
  }

  async start() {
    [, this.port] = (await this.#server.next()).split(' ');
  }

  ask(line) {
    return this.#server.ask(line);
  }

  /** @param since the position from which they resume */
  async connect(n, { since = '-', atOnce = 256 } = {}) {
    const args = [this.port, n, this.#handshake, 1, since, atOnce].map(String);
    this.#clients = new Program(CLIENT_CORE, subscribers, ...args);
    this.#counted = 0;
    await this.#clients.next();
  }

  /** Resolves when the clients have received so many more notifications, all together. */
  async received(count) {
    this.#counted += count;
    const counted = Number(await this.#clients.ask(this.#counted));
    if (counted !== this.#counted) throw new Error(`${counted} notifications instead of ${this.#counted}`);
  }

  /** When the clients were sent something last, in nanoseconds of the monotonic clock. */
  async lastReceived() {
    return BigInt(await this.#clients.ask('when'));
  }

  async disconnect() {
    this.#clients.end();
    await this.ask('empty');
  }

  end() {
    this.#server.end();
    this.#clients?.end();
  }
}
