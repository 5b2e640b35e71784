import { connect as connectNew } from '@nats-io/transport-node';
import { connect as connectOld, type NatsConnection as OldConnection } from 'nats';
import type { NatsConnection } from '../../lib/journal/nats/index.ts';
import { EngineServer } from './engine-server.ts';
import { testWith } from './program.ts';
import { afterwards, freePort } from './server.ts';

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

export class NatsServer extends EngineServer {
  readonly #args: readonly string[];
  #connection: OldConnection | undefined;

  private constructor(port: number, args: readonly string[]) {
    super('nats-server', port);
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
    await this.run([...own, ...this.#args], async () => {
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

  override async remove(): Promise<void> {
    await this.#connection?.close();
    await super.remove();
  }
}
