import { Redis, type RedisOptions } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../../lib/journal/redis/index.ts';
import { EngineServer } from './engine-server.ts';
import { testWith } from './program.ts';
import { afterwards, freePort } from './server.ts';

/** `test`, or a skip where there is no Redis. */
export const testWithRedis = testWith('redis-server', 'redis-server');
export const hasRedis = testWithRedis === test;

/** Both libraries, each with what makes a client for a port. */
export const LIBRARIES: ReadonlyArray<readonly [string, (port: number) => RedisClient]> = [
  ['ioredis', (port) => ioredis(port)],
  ['node-redis', (port) => nodeRedis(port)],
];

/** As an app has it, not used yet. */
export function ioredis(port: number, options: RedisOptions = {}): Redis {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, ...options });
  client.on('error', () => {});
  afterwards(() => client.disconnect());
  return client;
}

/** As an app has it, not connected yet. */
export function nodeRedis(port: number) {
  const client = createClient({ socket: { port, host: '127.0.0.1' } });
  client.on('error', () => {});
  return client;
}

export class RedisServer extends EngineServer {
  readonly #args: readonly string[];
  #client: Redis | undefined;

  private constructor(port: number, args: readonly string[]) {
    super('redis-server', port);
    this.#args = args;
  }

  /** @param args further arguments of `redis-server`. It keeps nothing unless told otherwise */
  static async start(...args: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args);
    await server.start();
    return server;
  }

  /** For the test that is running. */
  static async forTest(...args: string[]): Promise<RedisServer> {
    const server = await RedisServer.start(...args);
    afterwards(() => server.remove());
    return server;
  }

  async start(): Promise<void> {
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory, '--save', ''];
    await this.run([...own, ...this.#args], async (pid) => {
      const info = await this.ask('info', 'server').catch(() => undefined);
      return String(info).includes(`process_id:${pid}\r`) && !(await this.#isLoading());
    });
  }

  async #isLoading(): Promise<boolean> {
    return /loading:1/.test(String(await this.ask('info', 'persistence')));
  }

  /** A command, on a connection of the test's own. */
  async ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    this.#client ??= new Redis({
      port: this.port,
      host: '127.0.0.1',
      maxRetriesPerRequest: 0,
      retryStrategy: () => 20,
    }).on('error', () => {});
    return this.#client.call(command, ...args);
  }

  override async remove(): Promise<void> {
    this.#client?.disconnect();
    await super.remove();
  }
}
