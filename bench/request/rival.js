import { fileURLToPath } from 'node:url';
import { Program } from '../support/program.js';

/** Where the server runs, and where those do who ask it. */
const [SERVER_CORE, CLIENT_CORE] = [0, 1];

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** One of those that are compared: a server, and its clients. */
export class Rival {
  #server;
  #load;
  #method;
  #subscriber;

  constructor(name, { file, method, subscriber }) {
    this.name = name;
    this.#method = method;
    this.#subscriber = subscriber;
    this.#server = new Program(SERVER_CORE, process.execPath, here('host.js'), name, file);
  }

  async open() {
    const [, port] = (await this.#server.next()).split(' ');
    const subscriber = this.#subscriber ? ['subscriber'] : [];
    const { execPath } = process;
    this.#load = new Program(CLIENT_CORE, execPath, here('load.js'), port, this.#method, ...subscriber);
    await this.#load.next();
  }

  /** Requests for so many milliseconds; what they took, and the server's microseconds of CPU for them. */
  async measure(ms) {
    const before = Number(await this.#server.ask('cpu'));
    const found = JSON.parse(await this.#load.ask(ms));
    if (this.#subscriber && found.heard === 0) throw new Error('the subscriber heard nothing');
    return { ...found, cpu: Number(await this.#server.ask('cpu')) - before };
  }

  end() {
    this.#server.end();
    this.#load?.end();
  }
}
