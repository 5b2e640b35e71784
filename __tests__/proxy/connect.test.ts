import { spawn } from 'node:child_process';
import { link, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReqcastError } from '../../lib/protocol/errors.ts';
import { connectTarget, httpStatusOf } from '../../lib/proxy/connect.ts';
import { afterwards, until } from '../support/server.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reqcast-test-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function serve(where: string | { port: number; host: string }): Promise<Server> {
  const server = createServer((stream) => stream.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(where, resolve));
  afterwards(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

const connections = (server: Server) =>
  new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));

const failure = (code: string, status: number) => async (error: unknown) => {
  expect(error).toMatchObject({ name: 'ReqcastError', code });
  expect(httpStatusOf(error)).toBe(status);
  return error as ReqcastError;
};

const unexpected = () => {
  throw new Error('it connected');
};

/** A port that takes connections no more: its queue is full and nobody accepts. */
async function fullPort(): Promise<number> {
  const script = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    require('fs').writeSync(1, String(this.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  afterwards(() => child.kill('SIGKILL'));
  const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
  let waiting = 0;
  for (let i = 0; i < 4; i++) {
    const filler = connect(port, '127.0.0.1', () => waiting++).on('error', () => {});
    afterwards(() => filler.destroy());
  }
  await until(() => waiting >= 2);
  return port;
}

describe('connecting', () => {
  test('gives a stream to a UNIX socket and to host and port', async () => {
    const path = join(folder, 'socket');
    await serve(path);
    const { port } = (await serve({ port: 0, host: '127.0.0.1' })).address() as AddressInfo;
    for (const target of [{ socketPath: path }, { host: '127.0.0.1', port }]) {
      const socket = await connectTarget(target);
      expect(socket.writable).toBe(true);
      expect(socket.allowHalfOpen).toBe(true);
      socket.destroy();
    }
  });

  test('fails with 404 where there is no socket', async () => {
    const error = await connectTarget({ socketPath: join(folder, 'none') })
      .then(unexpected, (error) => error)
      .then(failure('TARGET_NOT_FOUND', 404));
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
    expect(error.message).toContain(join(folder, 'none'));
  });

  test('fails with 502 where a socket is that nobody listens on', async () => {
    const path = join(folder, 'socket');
    const old = createServer();
    await new Promise<void>((resolve) => old.listen(`${path}~`, resolve));
    await link(`${path}~`, path);
    await new Promise((resolve) => old.close(resolve));
    await connectTarget({ socketPath: path })
      .then(unexpected, (error) => error)
      .then(failure('TARGET_UNREACHABLE', 502));
  });

  test('fails with 502 where there is a file', async () => {
    await writeFile(join(folder, 'file'), '');
    await connectTarget({ socketPath: join(folder, 'file') })
      .then(unexpected, (error) => error)
      .then(failure('TARGET_UNREACHABLE', 502));
  });

  test('fails with 502 where the port is closed', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await connectTarget({ host: '127.0.0.1', port })
      .then(unexpected, (error) => error)
      .then(failure('TARGET_UNREACHABLE', 502));
  });

  test('fails with 504 where nobody answers in time', async () => {
    const port = await fullPort();
    await connectTarget({ host: '127.0.0.1', port }, { connectTimeoutMs: 20 })
      .then(unexpected, (error) => error)
      .then(failure('TARGET_TIMEOUT', 504));
  });

  test('stops when the signal aborts, with its reason and no socket left', async () => {
    const port = await fullPort();
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
    const before = sockets();
    const controller = new AbortController();
    const connecting = connectTarget({ host: '127.0.0.1', port }, { signal: controller.signal });
    expect(sockets()).toBeGreaterThan(before);
    const reason = new Error('the client went away');
    controller.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    await until(() => sockets() === before);
  });

  test('does not start when the signal is aborted', async () => {
    const path = join(folder, 'socket');
    const server = await serve(path);
    await expect(connectTarget({ socketPath: path }, { signal: AbortSignal.abort('gone') })).rejects.toBe(
      'gone',
    );
    expect(await connections(server)).toBe(0);
  });

  test('leaves a stream alone whose signal aborts later', async () => {
    const path = join(folder, 'socket');
    await serve(path);
    const controller = new AbortController();
    const socket = await connectTarget({ socketPath: path }, { signal: controller.signal });
    controller.abort();
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });

  test('is answered with 502 for any other fault', () => {
    expect(httpStatusOf(new Error('?'))).toBe(502);
    expect(httpStatusOf(new ReqcastError('TARGET_INVALID', '?'))).toBe(502);
  });
});
