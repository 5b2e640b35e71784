import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Program } from '../support/program.js';
import { cpuOf, memoryOf } from './usage.js';

/** The relay has a core for itself, and both its ends the other one. */
export const [RELAY_CORE, ENDS_CORE] = [0, 1];

/** One of those that are compared: a relay to the target of `ends`. */
export class Rival {
  #relay;
  #port;
  #ends;

  /** @param wire what its clients speak: `none`, `binary` or `base64` */
  constructor(name, { command, port, wire = 'binary', ends }) {
    this.name = name;
    this.wire = wire;
    this.#ends = ends;
    this.#port = port;
    this.#relay = new Program(RELAY_CORE, ...command);
  }

  async open() {
    if (this.#port) await listens(this.#port);
    else this.#port = (await this.#relay.next()).split(' ')[1];
  }

  /** MB/s, and microseconds of the relay's CPU time for each MB: `take` is to the clients, `give` to the target. */
  async carry(way, connections, bytes) {
    return this.#through(connections, async () => {
      const before = cpuOf(this.#relay.pid);
      const took = Number(await this.#ends.ask(`${way} ${bytes}`));
      return { speed: bytes / took, cost: (cpuOf(this.#relay.pid) - before) / (bytes / 1e6) };
    });
  }

  /** Microseconds for a small message there and back, and of the relay's CPU time. */
  async roundTrip(times) {
    return this.#through(1, async () => {
      const before = cpuOf(this.#relay.pid);
      const [p50, p99] = (await this.#ends.ask(`trips ${times}`)).split(' ').map(Number);
      return { p50, p99, cost: (cpuOf(this.#relay.pid) - before) / times };
    });
  }

  /** MB of memory after so many bytes through one tunnel, and after as many again. */
  async memory(way, bytes) {
    return this.#through(1, async () => {
      const held = [];
      for (let times = 0; times < 2; times++) {
        await this.#ends.ask(`${way} ${bytes}`);
        held.push(memoryOf(this.#relay.pid));
      }
      return held;
    });
  }

  /** MB of memory while no client reads. */
  async stalled(connections) {
    return this.#through(connections, async () => {
      await this.#ends.ask('stall');
      return memoryOf(this.#relay.pid);
    });
  }

  async #through(connections, act) {
    await this.#ends.ask(`open ${this.#port} ${this.wire} ${connections}`);
    const result = await act();
    await this.#ends.ask('close');
    return result;
  }

  end() {
    this.#relay.end();
  }
}

async function listens(port) {
  for (let tries = 0; ; tries++) {
    const socket = net.connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    if (tries === 100) throw new Error(`nobody listens on port ${port}`);
    await pause(50);
  }
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
