import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import net, { type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import express, { type RequestHandler, type Response } from 'express';
import type { ReqcastError } from '../../lib/protocol/errors.ts';
import { connectTarget } from '../../lib/proxy/connect.ts';
import { type ForwardRequestOptions, forwardRequest } from '../../lib/proxy/forward-request.ts';
import { openSockets } from '../support/descriptors.ts';
import { afterwards, listen, send, until } from '../support/server.ts';

/** An Express server that forwards each request after these middlewares. */
async function host(
  target: string,
  options: Partial<ForwardRequestOptions> = {},
  middlewares: RequestHandler[] = [],
) {
  const app = express();
  for (const middleware of middlewares) app.use(middleware);
  const faults: ReqcastError[] = [];
  app.use(async (request, response) => {
    try {
      const stream = await connectTarget({ http: target });
      await forwardRequest(request, response, stream, {
        target,
        rest: request.url,
        answerTimeoutMs: 10_000,
        ...options,
      });
    } catch (error) {
      faults.push(error as ReqcastError);
      if (!response.headersSent) response.writeHead(502).end((error as ReqcastError).code);
    }
  });
  return { port: await listen(http.createServer(app)), faults };
}

/** A plugin's server that says what it got. */
async function plugin() {
  const server = http.createServer((request: IncomingMessage, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      response.setHeader('X-Plugin', 'ginger');
      response.end(JSON.stringify({ method, url, headers, body }));
    });
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

async function rawTarget(onRequest: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => onRequest(socket));
    afterwards(() => socket.destroy());
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, sockets };
}

const json = { 'Content-Type': 'application/json' };

describe('a forwarded request', () => {
  test('reaches the target with its method, path, headers and body, and the answer comes back', async () => {
    const { port } = await host(`${await plugin()}/base?key=7`, { prefix: '/plugins/ginger' });
    const reply = await send(port, 'PUT', '/users/../ada?x=1', {
      headers: { ...json, Cookie: 'sid=1', 'X-Forwarded-For': '6.6.6.6' },
      body: '{"a":1}',
    });
    expect(reply.status).toBe(200);
    expect(reply.headers['x-plugin']).toBe('ginger');
    expect(JSON.parse(reply.body)).toMatchObject({
      method: 'PUT',
      url: '/base/ada?key=7&x=1',
      body: '{"a":1}',
      headers: {
        cookie: 'sid=1',
        host: `127.0.0.1:${port}`,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-prefix': '/plugins/ginger',
        'x-forwarded-host': `127.0.0.1:${port}`,
      },
    });
  });

  test('keeps what a trusted proxy said before', async () => {
    const { port } = await host(await plugin(), { trustProxy: true });
    const headers = { 'X-Forwarded-For': '10.0.0.9', 'X-Forwarded-Proto': 'https' };
    const { body } = await send(port, 'GET', '/', { headers });
    expect(JSON.parse(body).headers).toMatchObject({
      'x-forwarded-for': '10.0.0.9, 127.0.0.1',
      'x-forwarded-proto': 'https',
    });
  });

  test('has nothing that the client says of proxies, unless one is trusted', async () => {
    const { port } = await host(await plugin());
    const said = {
      'X-Forwarded-User': 'root',
      'X-Forwarded-Port': '1',
      X_Forwarded_Proto: 'https',
      Forwarded: 'for=6.6.6.6',
    };
    const { headers } = JSON.parse((await send(port, 'GET', '/', { headers: said })).body);
    for (const name of Object.keys(said)) expect(headers).not.toHaveProperty(name.toLowerCase());
  });

  test.each(['DELETE', 'OPTIONS', 'GET', 'POST'])(
    '%s with a body in chunks is one request, its body no other',
    async (method) => {
      const target = await plugin();
      const { port } = await host(target);
      const body = `GET /smuggled HTTP/1.1\r\nHost: ${'x'.repeat(10)}\r\n\r\n`;
      const headers = { 'Transfer-Encoding': 'chunked' };
      const reply = await send(port, method, '/', { headers, body });
      expect(JSON.parse(reply.body)).toMatchObject({ method, url: '/', body });
    },
  );

  test('may take longer than its answer, as long as it goes on', async () => {
    const { url } = await rawTarget((socket) =>
      socket.on('data', (chunk) => {
        if (String(chunk).includes('last')) socket.end('HTTP/1.1 204 Done\r\n\r\n');
      }),
    );
    const { port } = await host(url, { answerTimeoutMs: 300 });
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false });
    for (const startedAt = Date.now(); Date.now() - startedAt < 600; ) {
      request.write('some');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    request.end('last');
    expect((await once(request, 'response'))[0].statusCode).toBe(204);
  });

  test('that was answered before it was all there does not hold up the next one', async () => {
    const { url } = await rawTarget((socket) =>
      socket.pause().write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno'),
    );
    const { port } = await host(url);
    const socket = net.connect(port, '127.0.0.1');
    afterwards(() => socket.destroy());
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk;
    });
    const begin = 'POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000001\r\n\r\nx';
    socket.write(begin);
    await until(() => got.includes('413'));
    socket.write(Buffer.alloc(1_000_000));
    socket.write(begin);
    await until(() => got.split('413').length === 3);
  });

  test('leaves the client’s connection open for the next one', async () => {
    const { port } = await host(await plugin());
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    afterwards(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 3; i++) {
      const request = http.get({ port, host: '127.0.0.1', agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      expect(response.headers.connection).toBe('keep-alive');
      ports.add(request.socket?.localPort);
      await once(response.resume(), 'end');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ports.size).toBe(1);
  });

  test('is never an upgrade to something that is no WebSocket', async () => {
    const { port } = await host(await plugin());
    const headers = {
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMAAABkAAQAoAAA',
    };
    const { body } = await send(port, 'GET', '/', { headers });
    expect(JSON.parse(body).headers).not.toHaveProperty('upgrade');
  });

  test('is told before the answer when the target resets, ends, or speaks no HTTP', async () => {
    for (const act of [
      (s: Socket) => s.resetAndDestroy(),
      (s: Socket) => s.end(),
      (s: Socket) => s.end('SSH-2.0\r\n'),
    ]) {
      const { url } = await rawTarget(act as (socket: Socket) => void);
      const { port, faults } = await host(url);
      expect(await send(port, 'POST', '/', { body: 'x' })).toMatchObject({
        status: 502,
        body: 'TARGET_FAILED',
      });
      expect(faults.map(({ code }) => code)).toEqual(['TARGET_FAILED']);
    }
  });

  test.each([
    ['099 Early', 502],
    ['000 Nothing', 502],
    ['101 Switching', 502],
    ['200 O\u0001K', 200],
    ['999 Strange', 999],
  ])('answered with %j gives %p and ends nobody', async (line, status) => {
    const { url } = await rawTarget((socket) =>
      socket.write(`HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\nok`),
    );
    const { port } = await host(url);
    expect((await send(port, 'GET', '/')).status).toBe(status);
  });

  test('has the head of its answer as soon as that is there, whenever the rest comes', async () => {
    const { url, sockets } = await rawTarget((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'),
    );
    const { port } = await host(url);
    const request = http.get({ port, host: '127.0.0.1', agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.headers['content-type']).toBe('text/event-stream');
    sockets[0]?.end('data: 1\n\n');
    expect(String(await response.toArray())).toBe('data: 1\n\n');
  });

  test('that was answered by the app meanwhile stays so', async () => {
    let asked: Socket | undefined;
    const { url } = await rawTarget((socket) => {
      asked = socket;
    });
    let answer: Response | undefined;
    const keep: RequestHandler = (_request, response, next) => {
      answer = response;
      next();
    };
    const { port, faults } = await host(url, {}, [keep]);
    const reply = send(port, 'GET', '/');
    await until(() => asked);
    answer?.status(503).write('late');
    asked?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await until(() => faults.length > 0);
    answer?.end();
    expect(await reply).toMatchObject({ status: 503, body: 'late' });
  });

  test('is given up when the target does not answer in time', async () => {
    const { url } = await rawTarget(() => {});
    const { port } = await host(url, { answerTimeoutMs: 30 });
    expect(await send(port, 'GET', '/')).toMatchObject({ status: 502, body: 'TARGET_TIMEOUT' });
  });
});

describe('what http-proxy does not guard against', () => {
  test('3: a client that leaves a streaming answer early leaves no request open', async () => {
    const { url, sockets } = await rawTarget((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
    });
    const { port } = await host(url);
    const request = http.get({ port, host: '127.0.0.1', agent: false }).on('error', () => {});
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response, 'data');
    response.on('error', () => {});
    request.destroy();
    await until(() => sockets[0]?.destroyed);
  });

  test('5: a body that express.json() has read arrives all the same, as does one of each kind', async () => {
    const target = await plugin();
    const { port } = await host(target, {}, [
      express.json(),
      express.urlencoded({ extended: false }),
      express.text({ type: 'text/*' }),
      express.raw(),
    ]);
    const cases: Array<[string, string, string]> = [
      ['application/json', '{ "a": [1, "ü"] }', '{"a":[1,"ü"]}'],
      ['application/x-www-form-urlencoded', 'a=1&a=2&b=%26', 'a=1&a=2&b=%26'],
      ['text/plain', 'some text', 'some text'],
      ['application/octet-stream', 'bytes', 'bytes'],
      ['application/unknown', 'nobody reads this', 'nobody reads this'],
    ];
    for (const [type, sent, wanted] of cases) {
      const { body, status } = await send(port, 'POST', '/', {
        headers: { 'Content-Type': type },
        body: sent,
      });
      expect(status).toBe(200);
      expect(JSON.parse(body).body).toBe(wanted);
    }
    const chunked = http.request({ port, host: '127.0.0.1', method: 'POST', headers: json, agent: false });
    chunked.write('{"b":');
    chunked.end('2}');
    const [response] = (await once(chunked, 'response')) as [IncomingMessage];
    expect(JSON.parse(String(await response.toArray())).body).toBe('{"b":2}');
    const zipped = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false });
    zipped.setHeader('Content-Type', 'application/json').setHeader('Content-Encoding', 'gzip');
    zipped.end(gzipSync('{"c":3}'));
    const [unzipped] = (await once(zipped, 'response')) as [IncomingMessage];
    const got = JSON.parse(String(await unzipped.toArray()));
    expect(got.body).toBe('{"c":3}');
    expect(got.headers).not.toHaveProperty('content-encoding');
  });

  test('5b: a body that was read and cannot be made again is told, and does not hang', async () => {
    const drain: RequestHandler = (request, _, next) => void request.resume().once('end', () => next());
    const { port } = await host(await plugin(), {}, [drain]);
    expect(await send(port, 'POST', '/', { body: 'lost' })).toMatchObject({ status: 502, body: 'BODY_LOST' });
    expect((await send(port, 'POST', '/')).status).toBe(200);
  });

  test('8: an answer that breaks off breaks off for the client too', async () => {
    const { url } = await rawTarget((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst', () => socket.resetAndDestroy());
    });
    const { port } = await host(url);
    const request = http.get({ port, host: '127.0.0.1', agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await expect(response.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

test('a thousand clients that reset at some point leave no socket open', async () => {
  const { url } = await rawTarget((socket) => {
    socket.resume();
    if (Math.random() < 0.3) return;
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst');
    if (Math.random() < 0.5) socket.write('last');
  });
  const { port } = await host(url);
  const before = openSockets();
  const one = async () => {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    const left = once(socket, 'close');
    socket.write('POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n');
    const how = Math.random();
    if (how < 0.2) socket.resetAndDestroy();
    else if (how < 0.4) setImmediate(() => socket.resetAndDestroy());
    else {
      socket.write(how < 0.7 ? 'half' : '0123456789');
      socket.once('data', () => socket.resetAndDestroy());
      setTimeout(() => socket.resetAndDestroy(), 10);
    }
    await left;
  };
  for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 20 }, one));
  await until(() => openSockets() === before);
});
