import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import { join } from 'node:path';
import createDebug from 'debug';
import { WebSocketServer } from 'ws';
import {
  type AttachOptions,
  attach,
  CloseCode,
  type Entry,
  memoryJournal,
  type ProxyOptions,
  type RequestRecord,
  tokenFile,
} from '../../lib/index.ts';
import { openSockets } from '../support/descriptors.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards, listen, send, until } from '../support/server.ts';
import { openWire, refusal } from '../support/subscriber.ts';

const tokenOf = (name: string) => Buffer.from(name).toString('base64url');

async function echo() {
  const sockets: Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
    afterwards(() => socket.destroy());
  });
  return { sockets, target: { host: '127.0.0.1', port: await listen(server) } };
}

async function run(proxy: ProxyOptions, options: AttachOptions = {}) {
  const server = http.createServer((_, response) => response.end());
  const faults: string[] = [];
  const live = attach(server, {
    authorize: (request) => request.headers['x-audiences']?.toString().split(',') ?? true,
    onError: ({ code, message }, { stage }) => faults.push(`${stage} ${code} ${message}`),
    ...options,
    proxy,
  });
  afterwards(() => live.close());
  const port = await listen(server);
  const url = (token: string) => `ws://127.0.0.1:${port}/websockify?token=${token}`;
  const open = (token: string, audiences?: string, protocols: string[] = []) =>
    openWire(port, protocols, { token, ...(audiences && { headers: { 'x-audiences': audiences } }) });
  return { live, port, faults, open, refused: (token: string) => refusal(url(token)) };
}

async function all(query: AsyncIterable<Entry>): Promise<RequestRecord[]> {
  const records: RequestRecord[] = [];
  for await (const { request } of query) if (request) records.unshift(request);
  return records;
}

describe('an issued token', () => {
  test('opens its target, for those whom it is for', async () => {
    const { target } = await echo();
    const { live, open, refused } = await run({ targets: { vm: target } });
    const token = live.tokens.issue('vm', { audience: ['ada', 'grace'] });
    const wire = await open(token, 'grace,staff');
    wire.ws.send('hello');
    await until(() => wire.text() === 'hello');
    expect(await refused(token)).toMatchObject({
      status: 403,
      body: expect.stringMatching(/^TOKEN_NOT_YOURS/),
    });
  });

  test('that is for one use opens one tunnel, and none is spent on somebody else or a target that is away', async () => {
    const { target } = await echo();
    const targets = new Map([['vm', target]]);
    const { live, open, refused } = await run({ targets });
    const token = live.tokens.issue('vm', { once: true, audience: ['ada'] });
    expect((await refused(token)).status).toBe(403);
    targets.delete('vm');
    await expect(open(token, 'ada')).rejects.toThrow('404');
    targets.set('vm', target);
    await open(token, 'ada');
    await expect(open(token, 'ada')).rejects.toThrow('403');
    const both = live.tokens.issue('vm', { once: true });
    const results = await Promise.allSettled([open(both), open(both), open(both)]);
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect((await refused(both)).body).toMatch(/^TOKEN_USED/);
  });

  test('that has expired, was changed, or leads nowhere is refused with its reason', async () => {
    const { live, refused } = await run({ targets: {} });
    const short = live.tokens.issue('vm', { ttlMs: 1 });
    await until(() => refused(short).then(({ status }) => status === 401));
    expect((await refused(short)).body).toMatch(/^TOKEN_EXPIRED/);
    const token = live.tokens.issue('vm');
    const forged = token.slice(0, -2) + (token.endsWith('AA') ? 'BA' : 'AA');
    expect(await refused(forged)).toMatchObject({
      status: 403,
      body: expect.stringMatching(/^TOKEN_INVALID/),
    });
    expect(await refused(token)).toMatchObject({
      status: 404,
      body: expect.stringMatching(/^UNKNOWN_TOKEN/),
    });
  });

  test('may be the only way in', async () => {
    const { target } = await echo();
    const { live, open, refused } = await run({ targets: { vm: target }, issuedOnly: true });
    expect(await refused(tokenOf('vm'))).toMatchObject({
      status: 403,
      body: expect.stringMatching(/^TOKEN_NOT_ISSUED/),
    });
    await open(live.tokens.issue('vm'));
  });

  test('is believed by another process that shares the secret', async () => {
    const { target } = await echo();
    const tokenSecret = 's'.repeat(32);
    const first = await run({ targets: { vm: target }, tokenSecret });
    const second = await run({ targets: { vm: target }, tokenSecret: ['n'.repeat(32), tokenSecret] });
    await second.open(first.live.tokens.issue('vm'));
  });

  test('needs option proxy', () => {
    const live = attach(http.createServer());
    afterwards(() => live.close());
    expect(() => live.tokens.issue('vm')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});

test('authorize is told the name, whichever token says it', async () => {
  const { target } = await echo();
  const names: unknown[] = [];
  const path = join(temporaryDirectory(), 'tokens');
  writeFileSync(path, `vm: ${target.host}:${target.port}\n`);
  const authorize = (_: unknown, name?: string) => names.push(name) > 0;
  const { live, open, refused } = await run({ targets: tokenFile(path), authorize }, { authorize });
  await open(tokenOf('vm'));
  await open('vm');
  await open(live.tokens.issue('vm'));
  await open(tokenOf('woknotifications'));
  await refused('3f2b8c9e-0000');
  expect(names).toEqual(['vm', 'vm', 'vm', undefined, '3f2b8c9e-0000']);
});

test('a token file’s faults are told, and its other lines serve', async () => {
  const { target } = await echo();
  const path = join(temporaryDirectory(), 'tokens');
  writeFileSync(path, `wrong line\nvm: ${target.host}:${target.port}\n`);
  const { open, faults } = await run({ targets: tokenFile(path) });
  await open('vm');
  await open('vm');
  expect(faults).toEqual([expect.stringContaining(`proxy TOKEN_FILE_INVALID ${path}:1`)]);
});

test('a token that is cut short between characters is logged and ends with the server', async () => {
  const { target } = await echo();
  const path = join(temporaryDirectory(), 'tokens');
  writeFileSync(path, `abc😀secret: ${target.host}:${target.port}\n`);
  const { live, open, faults } = await run({ targets: tokenFile(path), log: true });
  const wire = await open(encodeURIComponent('abc😀secret'));
  expect(live.tunnels()).toEqual([expect.objectContaining({ name: 'abc😀…' })]);
  expect(live.disconnect(() => true)).toBe(1);
  expect((await wire.closed).code).toBe(4401);
  expect(faults).toEqual([]);
});

test('tunnels() tells what is open and what it carried, and ends it', async () => {
  const { target } = await echo();
  const { live, open } = await run({
    targets: { vm: target },
    user: (request) => String(request.headers['x-audiences']),
  });
  const wire = await open(tokenOf('vm'), 'ada');
  wire.ws.send('hello');
  await until(() => wire.text() === 'hello');
  expect(live.tunnels()).toEqual([
    {
      id: expect.stringMatching(/^[\w-]{36}$/),
      name: 'vm',
      target: `127.0.0.1:${target.port}`,
      user: 'ada',
      address: '127.0.0.1',
      openedAt: expect.any(Number),
      bytesIn: 5,
      bytesOut: 5,
      close: expect.any(Function),
    },
  ]);
  live.tunnels()[0]?.close();
  expect(await wire.closed).toEqual({ code: 1000, reason: 'closed by the server' });
  await until(() => live.tunnels().length === 0);
});

test.each([
  [{ idleTimeoutMs: 40 }, CloseCode.idle],
  [{ maxDurationMs: 40 }, CloseCode.limitReached],
  [{ maxBytes: 8 }, CloseCode.limitReached],
])('a tunnel ends at its limit of %j', async (limits, code) => {
  const { target } = await echo();
  const { open } = await run({ targets: { vm: target }, ...limits });
  const wire = await open(tokenOf('vm'));
  wire.ws.send('hello');
  expect((await wire.closed).code).toBe(code);
});

test.each([
  { targets: 7 },
  { targets: null },
  { connectTimeoutMs: 0 },
  { idleTimeoutMs: 2 ** 31 },
  { maxDurationMs: 1.5 },
  { maxBytes: -1 },
  { authorize: true },
  { user: 'ada' },
  { socketDir: '' },
  { socketOwners: [0] },
  { socketDir: '/run', socketOwners: ['root'] },
  { tokenSecret: 'short' },
  { tokenSecret: [] },
  { tokenSecret: ['s'.repeat(32), 'short'] },
])('option proxy is refused when it has %j', (proxy) => {
  const options = { authorize: () => true, proxy: proxy as unknown as ProxyOptions };
  expect(() => attach(http.createServer(), options)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('Option proxy.') }),
  );
});

describe('the log', () => {
  test('has a record of each tunnel’s opening and of its end, which are one line', async () => {
    const { target } = await echo();
    const { live, open } = await run({ targets: { 'vm 42': target }, log: true });
    const wire = await open(tokenOf('vm 42'));
    wire.ws.send('hello');
    await until(() => wire.text() === 'hello');
    const [opened] = await all(live.journal.query());
    expect(opened).toMatchObject({
      method: 'OPEN',
      url: '/websockify/vm%2042',
      status: 101,
      message: 'Open tunnel to vm 42',
      address: '127.0.0.1',
      tunnel: { name: 'vm 42', target: `127.0.0.1:${target.port}` },
    });
    wire.ws.close();
    const records = await until(async () => {
      const found = await all(live.journal.query({ tasks: 'separate' }));
      return found.length > 1 && found;
    });
    const end = { name: 'vm 42', bytesIn: 5, bytesOut: 5, reason: 'client-closed' };
    expect(records[1]).toMatchObject({
      method: 'CLOSE',
      status: 200,
      outcome: 'completed',
      task: opened?.id,
      tunnel: end,
    });
    expect(await all(live.journal.query({ message: 'tunnel' }))).toEqual([
      expect.objectContaining({ method: 'OPEN', status: 200, tunnel: expect.objectContaining(end) }),
    ]);
  });

  test('tells the end of those that close() ends', async () => {
    const { target } = await echo();
    const journal = memoryJournal();
    const { live, open } = await run({ targets: { vm: target }, log: true }, { journal });
    const wire = await open(tokenOf('vm'));
    await live.close();
    expect((await wire.closed).code).toBe(1001);
    const records = await all(journal.query({ tasks: 'separate' }));
    expect(records.map(({ method, tunnel }) => [method, tunnel?.reason])).toEqual([
      ['OPEN', undefined],
      ['CLOSE', 'closed'],
    ]);
  });

  test('announces no tunnel to anybody', async () => {
    const { target } = await echo();
    const { live, open } = await run(
      { targets: { vm: target }, log: true },
      { announceLog: 'POST:/wok/logs' },
    );
    const topics: string[] = [];
    live.on('*:/**', ({ topic }) => topics.push(topic));
    await open(tokenOf('vm'));
    await until(() => topics.length > 0);
    expect(topics).toEqual(['POST:/wok/logs']);
  });

  test('has no token, nor has what the library says for debugging', async () => {
    const said: string[] = [];
    const { log } = createDebug;
    createDebug.log = (...parts) => said.push(JSON.stringify(parts));
    createDebug.enable('*');
    afterwards(() => {
      createDebug.disable();
      createDebug.log = log;
    });
    const { target } = await echo();
    const plugin = http.createServer();
    new WebSocketServer({ server: plugin });
    const path = join(temporaryDirectory(), 'tokens');
    const secret = '3f2b8c9e-5d41-4c35-9a51-0f3c2f1de7aa';
    writeFileSync(path, `${secret}: ${target.host}:${target.port}\nwrong ${secret}\n`);
    const http42 = { http: `http://127.0.0.1:${await listen(plugin)}/?key=${secret}` };
    const journal = memoryJournal();
    const one = await run({ targets: tokenFile(path), log: true }, { journal, methods: ['GET', 'POST'] });
    const two = await run({ targets: { vm: http42, gone: { socketPath: '/nowhere' } }, log: true });
    await one.open(secret);
    const once = two.live.tokens.issue('vm', { once: true });
    await two.open(once);
    const tokens = [secret, once];
    for (const token of [
      once,
      two.live.tokens.issue('gone'),
      two.live.tokens.issue('vm', { audience: ['ada'] }),
    ]) {
      await two.refused(token);
      tokens.push(token);
    }
    await send(one.port, 'GET', `/websockify?token=${secret}`);
    await send(one.port, 'POST', `/websockify?token=${once}`);
    const records = [...(await all(journal.query())), ...(await all(two.live.journal.query()))];
    expect(records.length).toBe(4);
    expect(said.length).toBeGreaterThan(5);
    const written = [
      ...said,
      JSON.stringify([records, one.live.tunnels(), two.live.tunnels()]),
      ...one.faults,
      ...two.faults,
    ].join('\n');
    for (const token of tokens) expect(written).not.toContain(token);
    expect(records[0]?.tunnel?.name).toBe('3f2b…');
  });
});

test('a thousand clients that reset at some point of handshake and stream leave no socket open', async () => {
  const { target } = await echo();
  const { live, port } = await run({
    targets: { vm: target, gone: { host: '127.0.0.1', port: 9 }, away: { socketPath: '/nowhere' } },
    authorize: () => new Promise((resolve) => setImmediate(() => resolve(true))),
  });
  await live.ready;
  const before = openSockets();
  const handshake = (name: string) =>
    `GET /websockify?token=${tokenOf(name)} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
  const frame = Buffer.from([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]);
  const client = async (step: number) => {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    const left = once(socket, 'close');
    const reset = () => (step % 2 ? socket.resetAndDestroy() : socket.destroy());
    const text = handshake(step % 7 === 0 ? 'gone' : step % 11 === 0 ? 'away' : 'vm');
    const at = step % 6;
    if (at === 0) socket.write(text.slice(0, 40), reset);
    else if (at === 1) socket.write(text, reset);
    else if (at === 2) socket.write(text, () => setImmediate(() => setImmediate(reset)));
    else {
      socket.write(text);
      // The handshake's answer, or its refusal; then in the middle of a frame, or after one.
      socket.once('data', () => {
        if (at === 3) reset();
        else if (at === 4) socket.write(frame.subarray(0, 5), reset);
        else {
          socket.write(frame);
          socket.once('data', reset);
        }
      });
    }
    await left;
  };
  for (let step = 0; step < 1000; step += 20)
    await Promise.all(Array.from({ length: 20 }, (_, i) => client(step + i)));
  await until(() => openSockets() === before && live.tunnels().length === 0);
});
