import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { type AttachOptions, attach, type ProxyOptions, type Target } from '../../lib/index.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards, listen, until } from '../support/server.ts';
import { openWire, refusal } from '../support/subscriber.ts';

const tokenOf = (name: string) => Buffer.from(name).toString('base64url');

/** A UNIX socket that sends back what it gets. */
async function echo(): Promise<{ server: net.Server; target: Target }> {
  const socketPath = join(temporaryDirectory(), 'echo.sock');
  const server = net.createServer((socket) => socket.pipe(socket));
  server.listen(socketPath);
  await once(server, 'listening');
  afterwards(() => server.close());
  return { server, target: { socketPath } };
}

async function run(proxy: ProxyOptions, options: AttachOptions = {}) {
  const server = http.createServer();
  const faults: string[] = [];
  const live = attach(server, {
    authorize: () => true,
    onError: ({ code }, { stage }) => faults.push(`${stage} ${code}`),
    ...options,
    proxy,
  });
  afterwards(() => live.close());
  const port = await listen(server);
  const refused = (name: string) => refusal(`ws://127.0.0.1:${port}/websockify?token=${tokenOf(name)}`);
  return { live, port, faults, refused };
}

test.each([
  ['binary', ['binary'], true],
  ['base64', ['base64'], false],
  ['no subprotocol', [], true],
])('a token leads to its UNIX socket, over %s', async (_name, protocols, isBinary) => {
  const { target } = await echo();
  const { port } = await run({ targets: { 'vm-42': target } });
  const wire = await openWire(port, protocols, { token: tokenOf('vm-42') });
  wire.ws.send(isBinary ? Buffer.from('hello') : Buffer.from('hello').toString('base64'));
  await until(() => wire.messages.length > 0);
  const text = wire.messages[0]?.data.toString() ?? '';
  expect(isBinary ? text : Buffer.from(text, 'base64').toString()).toBe('hello');
  expect(wire.messages[0]?.isBinary).toBe(isBinary);
});

test.each(['binary', 'base64'])(
  'all that is said passes unchanged over TLS, on the %s wire',
  async (protocol) => {
    const { target } = await echo();
    // A key that both know: no certificate is needed.
    const tls = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' as const };
    const psk = Buffer.alloc(16, 'k');
    const server = https.createServer({ ...tls, pskCallback: () => psk });
    const live = attach(server, { authorize: () => true, proxy: { targets: { vm: target } } });
    afterwards(() => live.close());
    const port = await listen(server);
    const secured = {
      ...tls,
      pskCallback: () => ({ psk, identity: 'us' }),
      checkServerIdentity: () => false,
    };
    const ws = new WebSocket(`wss://127.0.0.1:${port}/websockify?token=${tokenOf('vm')}`, protocol, secured);
    afterwards(() => ws.terminate());
    const got: Buffer[] = [];
    ws.on('message', (data: Buffer, isBinary) =>
      got.push(isBinary ? data : Buffer.from(String(data), 'base64')),
    );
    await once(ws, 'open');
    const sent = Array.from({ length: 40 }, () => randomBytes(200_001));
    for (const piece of sent) ws.send(protocol === 'binary' ? piece : piece.toString('base64'));
    await until(() => got.reduce((sum, { length }) => sum + length, 0) >= 40 * 200_001);
    expect(Buffer.concat(got).equals(Buffer.concat(sent))).toBe(true);
  },
);

test('a Map may change while running', async () => {
  const { target } = await echo();
  const targets = new Map<string, Target>();
  const { port, refused } = await run({ targets });
  expect(await refused('vm')).toMatchObject({ status: 404 });
  targets.set('vm', target);
  const wire = await openWire(port, [], { token: tokenOf('vm') });
  expect(wire.ws.readyState).toBe(wire.ws.OPEN);
});

test('a function decides by name and request', async () => {
  const { target } = await echo();
  const { port, refused } = await run({
    targets: async (name, request) => (name === 'vm' && request.headers['x-user'] ? target : undefined),
  });
  expect(await refused('vm')).toMatchObject({ status: 404 });
  const wire = await openWire(port, [], { token: tokenOf('vm'), headers: { 'x-user': 'root' } });
  expect(wire.ws.readyState).toBe(wire.ws.OPEN);
});

test('nobody enters without authorization, and the target is not touched', async () => {
  const { server, target } = await echo();
  let connections = 0;
  server.on('connection', () => connections++);
  const { refused } = await run({ targets: { vm: target }, authorize: () => false });
  expect(await refused('vm')).toMatchObject({ status: 401 });
  expect(connections).toBe(0);
});

test('a target that is not there gives 404, one that refuses 502, one that is none 502 or 500', async () => {
  const free = net.createServer();
  const port = await listen(free);
  await new Promise((resolve) => free.close(resolve));
  const { refused, faults } = await run({
    targets: {
      missing: { socketPath: '/nonexistent/socket' },
      refusing: { host: '127.0.0.1', port },
      wrong: { socketPath: 7 } as unknown as Target,
    },
  });
  expect(await refused('missing')).toMatchObject({ status: 404 });
  expect(await refused('refusing')).toMatchObject({ status: 502 });
  expect((await refused('wrong')).status).toBeGreaterThanOrEqual(500);
  expect(await refused('__proto__')).toMatchObject({ status: 404 });
  expect(faults).toEqual(['proxy TARGET_NOT_FOUND', 'proxy TARGET_UNREACHABLE', 'proxy TARGET_INVALID']);
});

test('close ends the tunnels, and the targets see it', async () => {
  const { server, target } = await echo();
  const { live, port } = await run({ targets: { vm: target } });
  const wire = await openWire(port, [], { token: tokenOf('vm') });
  await live.close();
  expect(await wire.closed).toMatchObject({ code: 1001 });
  await until(
    () => new Promise<boolean>((resolve) => server.getConnections((_, count) => resolve(count === 0))),
  );
});

test('a client that offers nothing in common leaves no connection behind', async () => {
  const { server, target } = await echo();
  const { port } = await run({ targets: { vm: target } });
  const url = `ws://127.0.0.1:${port}/websockify?token=${tokenOf('vm')}`;
  expect(await refusal(url, ['reqcast.v1'])).toMatchObject({ status: 400 });
  await until(
    () => new Promise<boolean>((resolve) => server.getConnections((_, count) => resolve(count === 0))),
  );
});
