import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import express from 'express';
import Koa from 'koa';
import { WebSocket, WebSocketServer } from 'ws';
import { type AttachOptions, attach } from '../../lib/index.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards, listen, refusingPort, send, until } from '../support/server.ts';
import { openWire, refusal } from '../support/subscriber.ts';

/** A plugin in a process of its own: tells URL and body, and echoes what comes over its WebSocket. */
async function plugin() {
  const server = http.createServer(async (request, response) => {
    const body = String(Buffer.concat(await request.toArray()));
    response.writeHead(request.url?.includes('fail') ? 500 : 201).end(`${request.url} ${body}`);
  });
  const wss = new WebSocketServer({ server });
  wss.on('connection', (ws, request) => {
    ws.send(String(request.url));
    ws.on('message', (data, binary) => ws.send(data, { binary }));
  });
  return { server, target: `http://127.0.0.1:${await listen(server)}` };
}

async function run(options: AttachOptions = {}) {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(String(request.url));
    response.end('the app');
  });
  const faults: string[] = [];
  const live = attach(server, {
    authorize: () => true,
    onError: ({ code }, { stage }) => faults.push(`${stage} ${code}`),
    ...options,
  });
  afterwards(() => live.close());
  return { live, port: await listen(server), seen, faults };
}

test('requests below the prefix go to the plugin, the others to the app', async () => {
  const { target } = await plugin();
  const { live, port, seen } = await run();
  const undo = live.proxy.http({ prefix: '/plugins/ginger/', target: `${target}/api` });
  expect(await send(port, 'GET', '/plugins/ginger/users?x=1')).toMatchObject({
    status: 201,
    body: '/api/users?x=1 ',
  });
  expect((await send(port, 'POST', '/plugins/ginger', { body: 'hello' })).body).toBe('/api/ hello');
  expect((await send(port, 'GET', '/plugins/ginger?y')).body).toBe('/api/?y ');
  for (const path of ['/plugins', '/plugins/gingerbread', '/'])
    expect((await send(port, 'GET', path)).body).toBe('the app');
  expect(seen).toEqual(['/plugins', '/plugins/gingerbread', '/']);
  undo();
  expect((await send(port, 'GET', '/plugins/ginger/users')).body).toBe('the app');
});

test('the longest prefix counts, and one is forwarded once', async () => {
  const [one, two] = [await plugin(), await plugin()];
  const { live, port } = await run();
  live.proxy.http({ prefix: '/', target: `${one.target}/one` });
  live.proxy.http({ prefix: '/plugins/two', target: `${two.target}/two` });
  expect((await send(port, 'GET', '/plugins/two/x')).body).toBe('/two/x ');
  expect((await send(port, 'GET', '/plugins/twofold')).body).toBe('/one/plugins/twofold ');
  expect(() => live.proxy.http({ prefix: '/', target: one.target })).toThrow(
    expect.objectContaining({ code: 'PATH_TAKEN' }),
  );
});

test('dots in a path do not lead out of a prefix, nor past another one’s authorization', async () => {
  const { target } = await plugin();
  const { live, port } = await run();
  live.proxy.http({ prefix: '/p', target });
  live.proxy.http({ prefix: '/p/admin', target: `${target}/admin`, authorize: () => false });
  const handshake = { Connection: 'Upgrade', Upgrade: 'websocket' };
  for (const path of ['/p/admin/x', '/p/x/../admin/x', '/p/./admin', '/p/%2e/admin', '/p\\admin'])
    for (const headers of [{}, handshake])
      expect(await send(port, 'GET', path, { headers })).toMatchObject({ status: 401 });
  expect(await send(port, 'GET', '/p/a/../b?c=../d')).toMatchObject({ body: '/b?c=../d ' });
  expect(await send(port, 'GET', '/p/../other')).toMatchObject({ body: 'the app' });
});

test('what the plugin changes is logged and announced like what the app does', async () => {
  const { target } = await plugin();
  const { live, port } = await run({ routes: { '/plugins/:plugin/:entity': '/:plugin/:entity' } });
  live.proxy.http({ prefix: '/plugins/ginger', target });
  const topics: string[] = [];
  live.on('*:/**', ({ topic }) => topics.push(topic));
  await send(port, 'POST', '/plugins/ginger/fail');
  await send(port, 'POST', '/plugins/ginger/users', { body: 'ada' });
  await until(() => topics.length > 0);
  expect(topics).toEqual(['POST:/ginger/users']);
  const statuses: number[] = [];
  for await (const { request } of live.journal.query({ requests: true })) statuses.push(request?.status ?? 0);
  expect(statuses).toEqual([201, 500]);
});

test('WebSockets below the prefix go to the plugin, listed as tunnels, and end with the server', async () => {
  const { target } = await plugin();
  const { live, port } = await run();
  live.proxy.http({ prefix: '/plugins/ginger', target });
  const wire = await openWire(port, [], { path: '/plugins/ginger/console', token: 'its-own' });
  await until(() => wire.text() === '/console?token=its-own');
  wire.ws.send('hello');
  await until(() => wire.text().endsWith('hello'));
  expect(live.tunnels()).toMatchObject([{ name: '/plugins/ginger', target: `${target}/` }]);
  await live.close();
  await wire.closed;
  expect(live.tunnels()).toEqual([]);
});

test('a token leads to a server that speaks WebSocket itself, on a port or a UNIX socket', async () => {
  const { target, server } = await plugin();
  const other = http.createServer();
  other.on('upgrade', (...upgrade) => server.emit('upgrade', ...upgrade));
  const socketPath = join(temporaryDirectory(), 'plugin');
  await new Promise<void>((resolve) => other.listen(socketPath, resolve));
  afterwards(() => other.close());
  const { live, port } = await run({
    proxy: { targets: { port: { http: `${target}/a?b` }, socket: { http: { socketPath, path: '/c' } } } },
  });
  for (const [name, said] of [
    ['port', '/a?b'],
    ['socket', '/c'],
  ] as const) {
    const wire = await openWire(port, ['base64'], { token: Buffer.from(name).toString('base64url') }).catch(
      () => undefined,
    );
    // ws agrees on the first subprotocol that is offered; what is spoken is between the two.
    await until(() => wire?.text() === said);
    wire?.ws.send('hello');
    await until(() => wire?.text() === `${said}hello`);
    expect(live.tunnels().at(-1)).toMatchObject({ name });
  }
});

test('a forwarded WebSocket ends when its user is disconnected, or is no longer let in', async () => {
  const { target } = await plugin();
  const allowed = new Set(['ada', 'grace']);
  const authorize = (request: http.IncomingMessage) => {
    const user = String(request.headers['x-user']);
    return allowed.has(user) && [user];
  };
  const { live, port } = await run({
    authorize,
    reauthorizeMs: 20,
    proxy: { targets: { vm: { http: target } } },
  });
  live.proxy.http({ prefix: '/p', target });
  const token = Buffer.from('vm').toString('base64url');
  const open = (path: string, user: string) =>
    openWire(port, [], { path, token, headers: { 'x-user': user } });
  const wires = await Promise.all([open('/p/x', 'ada'), open('/websockify', 'ada'), open('/p/x', 'grace')]);
  await until(() => live.tunnels().length === 3);
  expect(live.disconnect(({ audiences }) => audiences.includes('ada'))).toBe(2);
  await Promise.all([wires[0]?.closed, wires[1]?.closed]);
  await until(() => live.tunnels().length === 1);
  expect(wires[2]?.ws.readyState).toBe(1);
  allowed.delete('grace');
  await wires[2]?.closed;
  await until(() => live.tunnels().length === 0);
});

test('nobody enters without authorization, and the plugin is not touched', async () => {
  let connections = 0;
  const server = net.createServer(() => connections++);
  const target = `http://127.0.0.1:${await listen(server)}`;
  const { live, port } = await run({ authorize: () => false });
  live.proxy.http({ prefix: '/p', target });
  expect(await send(port, 'GET', '/p/x')).toMatchObject({
    status: 401,
    body: expect.stringMatching(/^UNAUTHORIZED/),
  });
  expect(await refusal(`ws://127.0.0.1:${port}/p/x`)).toMatchObject({ status: 401 });
  live.proxy.http({ prefix: '/q', target, authorize: () => Promise.reject(new Error('no database')) });
  expect(await send(port, 'GET', '/q/x')).toMatchObject({
    status: 500,
    body: expect.stringMatching(/^FAILED/),
  });
  expect(connections).toBe(0);
  const open = attach(http.createServer());
  afterwards(() => open.close());
  expect(() => open.proxy.http({ prefix: '/p', target })).toThrow(
    expect.objectContaining({ code: 'PROXY_WITHOUT_AUTHORIZE' }),
  );
});

test('who is not authorized in time does not enter', async () => {
  const { target } = await plugin();
  const { live, port, faults } = await run({
    handshakeTimeoutMs: 50,
    authorize: () => new Promise(() => {}),
  });
  live.proxy.http({ prefix: '/p', target });
  const reply = await send(port, 'GET', '/p/x');
  expect(reply).toMatchObject({ status: 503, body: expect.stringMatching(/^HANDSHAKE_TIMEOUT/) });
  expect(reply.headers['retry-after']).toBe('1');
  expect(faults).toEqual([]);
});

test('a plugin that is away, refuses, or never answers gives 404, 502, 504', async () => {
  const refusing = await refusingPort();
  const silent = `http://127.0.0.1:${await listen(net.createServer((socket) => socket.on('error', () => {}).resume()))}`;
  const { live, port, faults } = await run({
    proxy: { connectTimeoutMs: 50, targets: { silent: { http: silent } } },
  });
  live.proxy.http({ prefix: '/away', target: { socketPath: '/nowhere' } });
  live.proxy.http({ prefix: '/refusing', target: `http://127.0.0.1:${refusing}` });
  live.proxy.http({ prefix: '/silent', target: silent, answerTimeoutMs: 50 });
  for (const [path, status] of [
    ['/away', 404],
    ['/refusing', 502],
    ['/silent', 504],
  ] as const) {
    expect((await send(port, 'GET', `${path}/x`)).status).toBe(status);
    expect((await refusal(`ws://127.0.0.1:${port}${path}/x`)).status).toBe(status);
  }
  const token = Buffer.from('silent').toString('base64url');
  expect((await refusal(`ws://127.0.0.1:${port}/websockify?token=${token}`)).status).toBe(504);
  expect(faults.length).toBe(7);
});

test.each([
  [{ prefix: 'plugins' }, 'INVALID_OPTION'],
  [{ prefix: '/a?b' }, 'INVALID_OPTION'],
  [{ answerTimeoutMs: 0 }, 'INVALID_OPTION'],
  [{ target: 'https://elsewhere' }, 'TARGET_INVALID'],
  [{ target: 'http://ada:secret@here' }, 'TARGET_INVALID'],
  [{ target: { socketPath: '/x', path: 'y' } }, 'TARGET_INVALID'],
])('proxy.http(%j) is refused', async (part, code) => {
  const { live } = await run();
  const options = { prefix: '/p', target: 'http://127.0.0.1:1', ...part };
  expect(() => live.proxy.http(options)).toThrow(expect.objectContaining({ code }));
});

test('the first request of an Express app whose server is found by the middleware, its body already read', async () => {
  const { target } = await plugin();
  const app = express();
  const live = attach({ authorize: () => true });
  afterwards(() => live.close());
  live.proxy.http({ prefix: '/plugins/ginger', target });
  app.use(express.json());
  app.use(live.middleware());
  app.use((_, response) => void response.send('the app'));
  const port = await listen(http.createServer(app));
  for (let i = 0; i < 2; i++) {
    const headers = { 'Content-Type': 'application/json' };
    expect(await send(port, 'POST', '/plugins/ginger/users', { headers, body: '{"a":1}' })).toMatchObject({
      status: 201,
      body: '/users {"a":1}',
    });
  }
  expect((await send(port, 'GET', '/')).body).toBe('the app');
});

test('the first request of a Koa app likewise', async () => {
  const { target } = await plugin();
  const app = new Koa();
  const live = attach({ authorize: () => true });
  afterwards(() => live.close());
  live.proxy.http({ prefix: '/plugins/ginger', target });
  app.use(live.koa());
  app.use((context) => {
    context.body = 'the app';
  });
  const port = await listen(http.createServer(app.callback()));
  expect((await send(port, 'GET', '/plugins/ginger/users')).body).toBe('/users ');
  expect((await send(port, 'GET', '/plugins/ginger/users')).body).toBe('/users ');
  expect((await send(port, 'GET', '/')).body).toBe('the app');
});

test('other upgrades below a prefix are ordinary requests, and other libraries keep their paths', async () => {
  const { target } = await plugin();
  const { live, port } = await run();
  live.proxy.http({ prefix: '/p', target });
  const headers = { Connection: 'Upgrade', Upgrade: 'h2c' };
  expect((await send(port, 'GET', '/p/x', { headers })).body).toBe('/x ');
  const ws = new WebSocket(`ws://127.0.0.1:${port}/elsewhere`);
  const [, response] = (await once(ws, 'unexpected-response')) as [unknown, http.IncomingMessage];
  expect(response.statusCode).toBe(200);
  response.destroy();
});
