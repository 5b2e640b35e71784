import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compile } from '../support/compile.js';
import { Program } from '../support/program.js';
import { subscribers } from '../support/subscribers.js';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const c = compile(here('limit.c'));

/**
 * @param handshake what its subscribers have to say; see subscribers.c
 * @param options the peer's own
 */
export function peer(name, handshake = name, options = {}) {
  return { command: [process.execPath, here('host.js'), name, JSON.stringify(options)], handshake };
}

/**
 * Ours where fan-out alone is measured. Who keeps to a share of the loop sleeps in between, and a core that slept is
 * slower afterwards; the others do not sleep.
 */
export const ours = peer('reqcast', 'reqcast', { loopShare: 1 });

export const limit = { command: [c], handshake: 'none' };

/** Where the server runs, and where its subscribers do. */
const [SERVER_CORE, CLIENT_CORE] = [0, 1];

/** What was sent before a measurement is done with by then. */
const SETTLE_MS = 50;

/** One of those that are compared: a server with its subscribers. */
export class Rival {
  #server;
  #subscribers;
  #counted = 0;

  constructor(name, { command, handshake, n, groups = 1 }) {
    this.name = name;
    this.n = n;
    this.#server = new Program(SERVER_CORE, ...command);
    this.handshake = handshake;
    this.groups = groups;
  }

  async open() {
    const [, port] = (await this.#server.next()).split(' ');
    this.#subscribers = new Program(
      CLIENT_CORE,
      subscribers,
      port,
      String(this.n),
      this.handshake,
      String(this.groups),
    );
    await this.#subscribers.next();
  }

  /**
   * Publishes `burst` at once, again and again for about `ms`, each time until all have it. Microseconds of CPU for each
   * delivery, without what it costs to be asked.
   */
  async measure(burst, ms) {
    await setTimeout(SETTLE_MS);
    const until = performance.now() + ms;
    let times = 0;
    const before = await this.#cpu();
    do {
      await this.#publish(burst);
      times++;
    } while (performance.now() < until);
    const after = await this.#cpu();
    for (let i = 0; i < times; i++) await this.#server.ask('publish 0');
    const asking = (await this.#cpu()) - after;
    return (after - before - asking) / (burst * times * this.n);
  }

  async #cpu() {
    return Number(await this.#server.ask('cpu'));
  }

  /** Publishes at a rate for so long: the same cost, and how much of what was due could be published. */
  async measureAt(rate, ms) {
    await setTimeout(SETTLE_MS);
    await this.#subscribers.ask('awake');
    const before = await this.#cpu();
    const published = Number(await this.#server.ask(`pace ${rate} ${ms}`));
    this.#counted += published * this.n;
    // The length of a frame may look like a mark, so a few may be counted that are none.
    this.#counted = Number(await this.#subscribers.ask(this.#counted));
    const cost = ((await this.#cpu()) - before) / (published * this.n);
    return { cost, kept: published / ((rate * ms) / 1000) };
  }

  async #publish(burst) {
    this.#counted += burst * this.n;
    // They are asked first, so that they are awake.
    const received = this.#subscribers.ask(this.#counted);
    await this.#server.ask(`publish ${burst}`);
    const counted = Number(await received);
    if (counted !== this.#counted) throw new Error(`${this.name}: ${counted} instead of ${this.#counted}`);
  }

  end() {
    this.#server.end();
    this.#subscribers?.end();
  }
}
