import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectNew } from '@nats-io/transport-node';
import { connect as connectOld, type NatsConnection as OldConnection } from 'nats';
import type { NatsConnection } from '../../lib/journal/nats/index.ts';
import { testWith } from './program.ts';
import { afterwards, until } from './server.ts';

/** `test`, or a skip where there is no NATS. */
export const testWithNats = testWith('nats-server', 'nats-server');
export const hasNats = testWithNats === test;

type Connect = (port: number) => Promise<NatsConnection>;

const SETTINGS = {
  servers: [] as string[],
  reconnectTimeWait: 20,
  reconnectJitter: 0,
  maxReconnectAttempts: -1,
};
const settingsFor = (port: number) => ({ ...SETTINGS, servers: [`127.0.0.1:${port}`] });

/** As an app has it. */
export async function connectNats(port: number, more: object = {}): Promise<OldConnection> {
  const connection = await connectOld({ ...settingsFor(port), ...more });
  afterwards(() => connection.close());
  return connection;
}

/** Both libraries, each with what makes a connection to a port. */
export const LIBRARIES: ReadonlyArray<readonly [string, Connect]> = [
  ['nats', connectNats],
  [
    '@nats-io/transport-node',
    async (port) => {
      const connection = await connectNew(settingsFor(port));
      afterwards(() => connection.close());
      return connection;
    },
  ],
];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

interface Answer {
  readonly error?: { readonly description: string };
  readonly state: {
    readonly messages: number;
    readonly first_seq: number;
    readonly last_seq: number;
    readonly consumer_count: number;
  };
  readonly config: { readonly [name: string]: unknown };
}

/** A NATS server that is killed, stopped and started again, with one port and one directory. */
export class NatsServer {
  readonly port: number;
  readonly directory = mkdtempSync(join(tmpdir(), 'reqcast-nats-'));
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #connection: OldConnection | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** @param args of `nats-server`. @default with JetStream */
  static async start(...args: string[]): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), args.length > 0 ? args : ['-js']);
    await server.start();
    return server;
  }

  /** For the test that is running. */
  static async forTest(...args: string[]): Promise<NatsServer> {
    const server = await NatsServer.start(...args);
    afterwards(() => server.remove());
    return server;
  }

  async start(): Promise<void> {
    const own = ['-a', '127.0.0.1', '-p', String(this.port), '-sd', this.directory];
    this.#child = spawn('nats-server', [...own, ...this.#args], { stdio: 'ignore' });
    await until(async () => {
      if (this.#child?.exitCode !== null) throw new Error(`nats-server ended: ${this.#child?.exitCode}`);
      this.#connection ??= await connectOld(settingsFor(this.port)).catch(() => undefined);
      return (
        (await this.#connection?.flush().then(
          () => true,
          () => false,
        )) === true
      );
    });
  }

  /** Asks JetStream, on a connection of the test's own. */
  async ask(subject: string, payload: object = {}): Promise<Answer> {
    const { data } = await (this.#connection as OldConnection).request(
      `$JS.API.${subject}`,
      JSON.stringify(payload),
      {
        timeout: 5000,
      },
    );
    return JSON.parse(Buffer.from(data).toString());
  }

  async state(
    stream = 'reqcast',
  ): Promise<{ messages: number; first_seq: number; last_seq: number; consumer_count: number }> {
    return (await this.ask(`STREAM.INFO.${stream}`)).state;
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
    await this.#connection?.close();
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
