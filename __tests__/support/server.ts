import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';

/** Undone after each test, last first. */
const undos: Array<() => unknown> = [];

export function afterwards(undo: () => unknown): void {
  undos.push(undo);
}

/** How many tests are over. */
let ended = 0;

afterEach(async () => {
  ended++;
  for (const undo of undos.splice(0).reverse()) await undo();
});

/** Listens on a free port; closed with all its connections after the test. */
export async function listen(server: Server): Promise<number> {
  afterwards(() => closeServer(server));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export function closeServer(server: Server): Promise<void> {
  (server as Partial<http.Server>).closeAllConnections?.();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await closeServer(server);
  return port;
}

/** A port where nobody listens, and nobody can meanwhile: it is the near end of a connection. One that is free is soon taken. */
export async function refusingPort(): Promise<number> {
  const far = await listen(createServer());
  const near = connect(far, '127.0.0.1');
  afterwards(() => near.destroy());
  await once(near, 'connect');
  return near.localPort as number;
}

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** One request on a connection of its own. */
export function send(
  port: number,
  method: string,
  path: string,
  options: { headers?: http.OutgoingHttpHeaders; body?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { port, host: '127.0.0.1', method, path, agent: false, headers: options.headers },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode as number, headers: response.headers, body }),
        );
      },
    );
    request.on('error', reject).end(options.body);
  });
}

/** Waits until `check` gives something; not beyond the test, which may be over because it took too long. */
export async function until<T>(
  check: () => T | undefined | false | null | Promise<T | undefined | false | null>,
) {
  for (const during = ended; ; ) {
    if (ended !== during) throw new Error('the test is over');
    const value = await check();
    if (value) return value as T;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
