import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';
import { type AttachOptions, attach } from '../../lib/index.ts';
import { afterwards, listen, send, until } from '../support/server.ts';
import { openWire, refusal, subscribe, topicsOf } from '../support/subscriber.ts';

const home: http.RequestListener = (_request, response) => response.end('home');

async function run(prepare: (server: http.Server) => void = () => {}, options: AttachOptions = {}) {
  const server = http.createServer(home);
  prepare(server);
  const live = attach(server, { onError: () => {}, ...options });
  afterwards(() => live.close());
  return { server, live, port: await listen(server) };
}

/** All that comes back for these bytes, until the connection ends. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    let reply = '';
    socket.on('data', (chunk) => {
      reply += chunk;
    });
    socket.on('end', () => resolve(reply));
    socket.on('error', reject);
    afterwards(() => socket.destroy());
  });
}

const H2C =
  'Host: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';

describe('beside others on one server', () => {
  test.each(['before', 'after'] as const)('lives with socket.io, attached %s it', async (when) => {
    const create = (server: http.Server) => {
      const sockets = new SocketServer(server, { destroyUpgradeTimeout: 50 });
      sockets.on('connection', (socket) => socket.on('ask', (reply) => reply('answer')));
      afterwards(() => sockets.close());
    };
    let decide: (() => void) | undefined;
    const options: AttachOptions = {
      authorize: ({ headers }) =>
        headers['x-slow']
          ? new Promise((resolve) => {
              decide = () => resolve(true);
            })
          : true,
    };
    const { server, live, port } = await run(when === 'after' ? create : undefined, options);
    if (when === 'before') create(server);
    const client = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] });
    afterwards(() => client.close());
    const slow = subscribe(port, ['*:/**'], '-', { headers: { 'x-slow': '1' } });
    expect(await client.timeout(5000).emitWithAck('ask')).toBe('answer');
    // socket.io ends each upgrade that nobody has answered within its destroyUpgradeTimeout.
    await new Promise((resolve) => setTimeout(resolve, 100));
    decide?.();
    const wire = await slow;
    live.notify('POST:/a');
    await until(() => topicsOf(wire).length > 0);
    expect(topicsOf(wire)).toEqual(['POST:/a']);
  });

  test.each(['before', 'after'] as const)(
    'lives with a ws server of its own path, attached %s it',
    async (when) => {
      const create = (server: http.Server) => {
        const sockets = new WebSocketServer({ server, path: '/echo' });
        sockets.on('connection', (ws) => ws.on('message', (data) => ws.send(String(data))));
        afterwards(() => sockets.close());
      };
      const { server, live, port } = await run(when === 'after' ? create : undefined);
      if (when === 'before') create(server);
      const echo = new WebSocket(`ws://127.0.0.1:${port}/echo`);
      afterwards(() => echo.terminate());
      echo.on('open', () => echo.send('hello'));
      const answer = await new Promise((resolve) => echo.on('message', (data) => resolve(String(data))));
      expect(answer).toBe('hello');
      const wire = await subscribe(port);
      live.notify('POST:/a');
      await until(() => topicsOf(wire).length > 0);
      expect(wire.ws.readyState).toBe(wire.ws.OPEN);
      expect(await refusal(`ws://127.0.0.1:${port}/nowhere`)).toMatchObject({ status: 400 });
    },
  );

  test('answers an h2c request as before', async () => {
    const plain = http.createServer(home);
    const before = await raw(await listen(plain), `GET / HTTP/1.1\r\n${H2C}\r\n`);
    const { port } = await run();
    const after = await raw(port, `GET / HTTP/1.1\r\n${H2C}\r\n`);
    expect(after.split('\r\n')[0]).toBe('HTTP/1.1 200 OK');
    expect(after.replace(/Date: .*\r\n/, '')).toBe(before.replace(/Date: .*\r\n/, ''));
  });

  test('answers an h2c request with a body as before', async () => {
    const { server, port } = await run();
    server.removeAllListeners('request');
    server.on('request', (request, response) => request.pipe(response));
    const reply = await raw(port, `POST / HTTP/1.1\r\n${H2C}Content-Length: 5\r\n\r\nhello`);
    expect(reply).toContain('200 OK');
    expect(reply).toContain('hello');
  });

  test('tells who waits for it to go on with the body of an h2c request', async () => {
    const { server, port } = await run();
    server.removeAllListeners('request');
    server.on('request', (request, response) => request.pipe(response));
    const socket = net.connect(port, '127.0.0.1');
    afterwards(() => socket.destroy());
    socket.write(`POST / HTTP/1.1\r\n${H2C}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('hello');
    expect(String((await once(socket, 'data'))[0])).toContain('200 OK');
  });

  test('leaves upgrades to listeners that took the place of all that there were', async () => {
    const { server, port } = await run();
    server.removeAllListeners('upgrade');
    const wss = new WebSocketServer({ noServer: true });
    server.on('upgrade', (...upgrade) => wss.handleUpgrade(...upgrade, () => {}));
    const ws = new WebSocket(`ws://127.0.0.1:${port}/theirs`);
    afterwards(() => ws.terminate());
    await once(ws, 'open');
    await subscribe(port);
  });

  test('leaves an upgrade to another path to the app', async () => {
    const { port } = await run((server) => {
      server.removeAllListeners('request');
      server.on('request', (_request, response) => response.writeHead(418).end());
    });
    expect(await refusal(`ws://127.0.0.1:${port}/elsewhere`)).toMatchObject({ status: 418 });
  });

  test('leaves a plain request to its path to the app', async () => {
    const { port } = await run();
    expect(await send(port, 'GET', '/websockify')).toMatchObject({ status: 200, body: 'home' });
  });

  test('has room for several attachments, each on its own path', async () => {
    const { server, live, port } = await run();
    const second = attach(server, { path: '/live' });
    afterwards(() => second.close());
    const [a, b] = [await subscribe(port), await subscribe(port, ['*:/**'], '-', { path: '/live' })];
    live.notify('POST:/a');
    second.notify('POST:/b');
    await until(() => topicsOf(a).length > 0 && topicsOf(b).length > 0);
    expect([topicsOf(a), topicsOf(b)]).toEqual([['POST:/a'], ['POST:/b']]);
    expect(() => attach(server)).toThrow(expect.objectContaining({ code: 'PATH_TAKEN' }));
    await live.close();
    expect(await refusal(`ws://127.0.0.1:${port}/websockify`)).toMatchObject({ status: 200 });
    second.notify('POST:/c');
    await until(() => topicsOf(b).length > 1);
  });
});

describe('without a server in hand', () => {
  test('finds it by the first request of Express middleware', async () => {
    const { default: express } = await import('express');
    const live = attach();
    afterwards(() => live.close());
    const app = express();
    app.use(live.middleware());
    app.post('/ginger/users', (_request, response) => {
      response.sendStatus(201);
    });
    const port = await listen(http.createServer(app));
    // A client that connects first is told to come back.
    expect(await refusal(`ws://127.0.0.1:${port}/websockify`)).toMatchObject({ status: 503 });
    const wire = await subscribe(port);
    await send(port, 'POST', '/ginger/users');
    await until(() => topicsOf(wire).length > 0);
    expect(topicsOf(wire)).toEqual(['POST:/ginger/users']);
  });

  test('finds it by the first request of Koa middleware, with body and user', async () => {
    const { default: Koa } = await import('koa');
    const live = attach({ params: true });
    afterwards(() => live.close());
    const app = new Koa();
    app.use(live.koa());
    app.use((context) => {
      (context.request as { body?: unknown }).body = { name: 'x' };
      context.state.user = { name: 'root' };
      context.status = 201;
    });
    const port = await listen(http.createServer(app.callback()));
    await send(port, 'POST', '/a');
    const wire = await openWire(port, ['base64']);
    await send(port, 'POST', '/b');
    await until(() => wire.messages.length > 0);
    const users: unknown[] = [];
    for await (const { request } of live.journal.query()) users.push([request?.user, request?.params]);
    expect(users).toEqual([
      ['root', { name: 'x' }],
      ['root', { name: 'x' }],
    ]);
  });
});
