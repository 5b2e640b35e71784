import { connect, createServer, type Socket } from 'node:net';
import { afterwards, listen } from './server.ts';

/** A TCP port that leads to another one, until it is told otherwise. */
export class Switch {
  port = 0;
  #to: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server = createServer((client) => this.#lead(client));
  /** Looks at what clients send; `true`: this connection gets no answer any more. */
  swallow: (sent: Buffer) => boolean = () => false;

  private constructor(to: number) {
    this.#to = to;
  }

  static async to(port: number): Promise<Switch> {
    const made = new Switch(port);
    made.port = await listen(made.#server);
    afterwards(() => made.cut());
    return made;
  }

  /** New connections lead there; those that are open are cut. */
  lead(port: number): void {
    this.#to = port;
    this.cut();
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #lead(client: Socket): void {
    const server = connect(this.#to, '127.0.0.1');
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    let swallowing = false;
    client.on('data', (sent) => {
      swallowing ||= this.swallow(sent);
      server.write(sent);
    });
    server.on('data', (answer) => swallowing || client.write(answer));
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
  }
}
