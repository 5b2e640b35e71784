import http, { type RequestListener, type Server } from 'node:http';
import express5 from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import Koa from 'koa';
import { type Attachment, type AttachOptions, attach, type RequestRecord } from '../../lib/index.ts';
import { afterwards, listen, send, until } from '../support/server.ts';
import { subscribe, topicsOf } from '../support/subscriber.ts';

/** Each app answers the same: POST /ginger/users 201, POST /fail throws, POST /hang never answers, GET / 200. */
type Build = (server: Server) => Promise<void> | void;

const express =
  (create: typeof express5): Build =>
  (server) => {
    const app = create();
    const router = create.Router();
    router.post('/users', (_request, response) => {
      response.status(201).json({ ok: true });
    });
    app.use('/ginger', router);
    app.post('/fail', () => {
      throw new Error('on purpose');
    });
    app.post('/hang', () => {});
    app.get('/', (_request, response) => {
      response.send('home');
    });
    app.use((_error: Error, _request: unknown, response: http.ServerResponse, _next: unknown) => {
      response.statusCode = 500;
      response.end();
    });
    server.on('request', app as RequestListener);
  };

const koa: Build = (server) => {
  const app = new Koa();
  app.silent = true;
  app.use(async (context) => {
    if (context.path === '/fail') throw new Error('on purpose');
    if (context.path === '/hang') return void (await new Promise(() => {}));
    context.status = context.path === '/' ? 200 : 201;
    context.body = { ok: true };
  });
  server.on('request', app.callback());
};

const fast: Build = async (server) => {
  const app = fastify({
    serverFactory: (handler) => {
      server.on('request', handler);
      return server;
    },
  });
  app.post('/ginger/users', async (_request, reply) => reply.code(201).send({ ok: true }));
  app.post('/fail', async () => {
    throw new Error('on purpose');
  });
  app.post('/hang', () => new Promise(() => {}));
  app.get('/', async () => 'home');
  await app.ready();
};

const raw: Build = (server) => {
  server.on('request', (request, response) => {
    if (request.url === '/hang') return;
    if (request.url === '/fail') response.statusCode = 500;
    else response.statusCode = request.url === '/' ? 200 : 201;
    response.end('{"ok":true}');
  });
};

const frameworks: Array<[string, Build]> = [
  ['raw http', raw],
  ['Express 5', express(express5)],
  ['Express 4', express(express4 as unknown as typeof express5)],
  ['Koa 3', koa],
  ['Fastify 5', fast],
];

describe.each(frameworks)('attach with %s', (_name, build) => {
  async function run(when: 'before' | 'after', options: AttachOptions = {}) {
    const server = http.createServer();
    const records: RequestRecord[] = [];
    const attachHere = () => attach(server, { write: (record) => records.push(record), ...options });
    let live: Attachment | undefined;
    if (when === 'before') live = attachHere();
    await build(server);
    const port = await listen(server);
    live ??= attachHere();
    const attachment = live;
    afterwards(() => attachment.close());
    return { server, live: attachment, port, records };
  }

  test.each(['before', 'after'] as const)('announces a request, attached %s the handlers', async (when) => {
    const { port, records } = await run(when);
    const wire = await subscribe(port);
    const reply = await send(port, 'POST', '/ginger/users?x=1');
    expect(reply.status).toBe(201);
    await until(() => topicsOf(wire).length > 0);
    expect(topicsOf(wire)).toEqual(['POST:/ginger/users']);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      method: 'POST',
      url: '/ginger/users?x=1',
      topic: 'POST:/ginger/users',
      status: 201,
      outcome: 'completed',
      address: '127.0.0.1',
      app: 'ginger',
      message: 'Create ginger users',
    });
  });

  test('leaves a GET alone', async () => {
    const { port, records } = await run('before');
    expect((await send(port, 'GET', '/')).status).toBe(200);
    await send(port, 'POST', '/ginger/users');
    await until(() => records.length > 0);
    expect(records.map(({ method }) => method)).toEqual(['POST']);
  });

  test('logs a handler that throws as failed, and does not announce it', async () => {
    const { port, records, live } = await run('before');
    const heard: string[] = [];
    live.on('*:/**', ({ topic }) => heard.push(topic));
    expect((await send(port, 'POST', '/fail')).status).toBe(500);
    await send(port, 'POST', '/ginger/users');
    await until(() => heard.length > 0);
    expect(heard).toEqual(['POST:/ginger/users']);
    expect(records.map(({ status, outcome }) => [status, outcome])).toEqual([
      [500, 'failed'],
      [201, 'completed'],
    ]);
  });

  test('logs a client that goes away as aborted', async () => {
    const { server, port, records } = await run('before');
    const request = http.request({ port, method: 'POST', path: '/hang', agent: false });
    request.on('error', () => {});
    const arrived = new Promise((resolve) => server.once('request', resolve));
    request.end();
    await arrived;
    request.destroy();
    await until(() => records.length > 0);
    expect(records[0]).toMatchObject({ outcome: 'aborted' });
  });

  test('leaves the server as found', async () => {
    const server = http.createServer();
    await build(server);
    const before = { names: Object.getOwnPropertyNames(server), listeners: counts(server) };
    const live = attach(server);
    const port = await listen(server);
    await subscribe(port);
    await live.close();
    expect(Object.getOwnPropertyNames(server).filter((name) => !before.names.includes(name))).toEqual(
      expect.not.arrayContaining(['emit']),
    );
    expect(counts(server)).toEqual(before.listeners);
    expect((await send(port, 'POST', '/ginger/users')).status).toBe(201);
  });
});

function counts(server: Server): Record<string, number> {
  return Object.fromEntries(server.eventNames().map((name) => [String(name), server.listenerCount(name)]));
}
