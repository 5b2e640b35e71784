import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../../lib/journal/redis/index.ts';
import { testWith } from './program.ts';
import { afterwards, until } from './server.ts';

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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

/** A Redis that is killed, stopped and started again, with one port and one directory. */
export class RedisServer {
  readonly port: number;
  readonly directory = mkdtempSync(join(tmpdir(), 'reqcast-redis-'));
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #client: Redis | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
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
    this.#child = spawn('redis-server', [...own, ...this.#args], { stdio: 'ignore' });
    const { pid } = this.#child;
    await until(async () => {
      if (this.#child?.exitCode !== null) throw new Error(`redis-server ended: ${this.#child?.exitCode}`);
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

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async remove(): Promise<void> {
    this.#client?.disconnect();
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
