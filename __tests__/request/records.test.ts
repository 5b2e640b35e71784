import { EventEmitter, once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { type AttachOptions, attach, type Entry, type ReqcastError } from '../../lib/index.ts';
import { afterwards, listen, send, until } from '../support/server.ts';

const answer: RequestListener = (_request, response) => {
  response.statusCode = 201;
  response.end();
};

async function run(options: AttachOptions = {}, handler: RequestListener = answer) {
  const server = http.createServer(handler);
  const faults: ReqcastError[] = [];
  const live = attach(server, { onError: (error) => faults.push(error), ...options });
  afterwards(() => live.close());
  const port = await listen(server);
  const entries = async (count: number): Promise<Entry[]> =>
    until(async () => {
      const found: Entry[] = [];
      for await (const entry of live.journal.query({ tasks: 'separate' })) found.unshift(entry);
      return found.length >= count && found;
    });
  return { live, port, faults, entries, server };
}

const withBody: RequestListener = (request, response) => {
  let text = '';
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => {
    (request as { body?: unknown }).body = JSON.parse(text);
    response.end();
  });
};

describe('a record', () => {
  test('names the user that login middleware left', async () => {
    const { port, entries } = await run({}, (request, response) => {
      (request as { user?: unknown }).user = { name: 'root' };
      answer(request, response as never);
    });
    await send(port, 'POST', '/ginger/users');
    expect((await entries(1))[0]?.request).toMatchObject({ user: 'root', status: 201 });
  });

  test.each([
    [{ name: 'ada', password: 'x' }, 'ada'],
    [7, '7'],
    [Promise.resolve('ada'), undefined],
  ])('has of the user that the function gives, %j, the name alone', async (user, name) => {
    const { port, entries } = await run({
      user: () => user as unknown as string,
      app: () => ({}) as unknown as string,
    });
    await send(port, 'POST', '/ginger/users');
    const [entry] = await entries(1);
    expect(entry?.request?.user).toBe(name);
    expect(entry?.request?.app).toBe('ginger');
  });

  test('has the functions’ answers for user, app and message', async () => {
    const { port, entries } = await run({
      user: () => 'admin',
      app: () => 'mine',
      message: (record) => `${record.user} made ${record.topic}`,
    });
    await send(port, 'PUT', '/a/b');
    expect((await entries(1))[0]?.request).toMatchObject({
      user: 'admin',
      app: 'mine',
      message: 'admin made PUT:/a/b',
    });
  });

  test.each<[boolean | number, string]>([
    [false, '127.0.0.1'],
    [0, '127.0.0.1'],
    [true, '10.0.0.1'],
    [1, '10.0.0.1'],
    [2, '203.0.113.9'],
    [9, '6.6.6.6'],
  ])(
    'with trustProxy %p has the address that the outermost proxy saw, which is %s',
    async (trustProxy, address) => {
      const { port, entries } = await run({ trustProxy });
      const headers = { 'X-Forwarded-For': '6.6.6.6, 203.0.113.9, 10.0.0.1' };
      await send(port, 'POST', '/a', { headers });
      expect((await entries(1))[0]?.request?.address).toBe(address);
    },
  );

  test('has params only when asked, secrets replaced', async () => {
    const body = JSON.stringify({ name: 'x', password: 'y' });
    const quiet = await run({}, withBody);
    await send(quiet.port, 'POST', '/a', { body });
    expect((await quiet.entries(1))[0]?.request).not.toHaveProperty('params');
    const telling = await run({ params: true }, withBody);
    await send(telling.port, 'POST', '/a?token=z', { body });
    expect((await telling.entries(1))[0]?.request).toMatchObject({
      params: { name: 'x', password: '[redacted]' },
      url: '/a?token=[redacted]',
    });
  });

  test('leaves out params that are too large', async () => {
    const { port, entries } = await run({ params: () => 'x'.repeat(20_000) });
    await send(port, 'POST', '/a');
    expect((await entries(1))[0]?.request?.params).toBe('[too large]');
  });

  test('is written in a moment where the params refer to themselves', async () => {
    const { port, entries } = await run({ params: true }, (request, response) => {
      const body: Record<string, object> = {};
      for (let i = 0; i < 20; i++) body[`field${i}`] = { fields: body };
      (request as { body?: unknown }).body = body;
      response.end();
    });
    await send(port, 'POST', '/a');
    expect((await entries(1))[0]?.request?.params).toBe('[too large]');
  });

  test('is made for the methods asked for', async () => {
    const { port, entries } = await run({ methods: ['GET'] });
    await send(port, 'POST', '/a');
    await send(port, 'GET', '/b');
    expect((await entries(1)).map(({ topic }) => topic)).toEqual(['GET:/b']);
  });

  test('is not made for a skipped request', async () => {
    const { port, entries } = await run({ skip: (request) => request.url === '/a' });
    await send(port, 'POST', '/a');
    await send(port, 'POST', '/b');
    expect((await entries(1)).map(({ topic }) => topic)).toEqual(['POST:/b']);
  });

  test('can be changed by onRecord before the journal has it', async () => {
    const written: unknown[] = [];
    const { port, entries } = await run({
      onRecord: (record) => {
        record.message = 'changed';
      },
      write: ({ message }) => written.push(message),
    });
    await send(port, 'POST', '/a');
    expect((await entries(1))[0]?.request?.message).toBe('changed');
    expect(written).toEqual(['changed']);
  });

  test('is made once of each that waited its turn when the connection was lost', async () => {
    const responses: http.ServerResponse[] = [];
    const { live, port, entries } = await run({}, (_request, response) => {
      if (responses.push(response) === 4) {
        responses[2]?.end();
        responses[0]?.end(() => socket.destroy());
      }
    });
    const socket = net.connect(port, '127.0.0.1');
    for (const path of ['/1', '/2', '/3', '/4'])
      socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    await entries(4);
    await live.journal.flush();
    expect((await entries(4)).map(({ request }) => `${request?.url} ${request?.outcome}`).sort()).toEqual([
      '/1 completed',
      '/2 aborted',
      '/3 aborted',
      '/4 aborted',
    ]);
  });

  test('is made of a request with Expect that a listener of the app answers', async () => {
    const { server, port, entries } = await run();
    server.on('checkContinue', (_request, response) => response.writeHead(202).end());
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
    await send(port, 'POST', '/a', { headers: { Expect: '100-continue' } });
    await send(port, 'POST', '/b', { headers: { Expect: 'else' } });
    expect((await entries(2)).map(({ topic, request }) => [topic, request?.status])).toEqual([
      ['POST:/a', 202],
      ['POST:/b', 201],
    ]);
  });

  test('says aborted when an HTTP/2 client resets its stream, and completed else', async () => {
    const server = http2.createServer((request, response) => {
      if (request.url === '/done') response.end();
      else stream.close(http2.constants.NGHTTP2_CANCEL);
    });
    const live = attach(server as unknown as http.Server);
    afterwards(() => live.close());
    const client = http2.connect(`http://127.0.0.1:${await listen(server)}`);
    afterwards(() => client.destroy());
    const done = client.request({ ':method': 'POST', ':path': '/done' });
    await once(done.resume().end(), 'close');
    const stream = client.request({ ':method': 'POST', ':path': '/left' });
    await once(stream.end(), 'close');
    const outcomes = await until(async () => {
      const found: unknown[] = [];
      for await (const { request } of live.journal.query()) found.unshift(request?.outcome);
      return found.length === 2 && found;
    });
    expect(outcomes).toEqual(['completed', 'aborted']);
  });

  test('that cannot be made of what is no request of Node’s breaks nothing', async () => {
    const { server, faults } = await run();
    const told: unknown[] = [];
    server.removeAllListeners('request').on('request', (request) => told.push(request));
    const [sockeless, headless] = [{ method: 'POST', url: '/a', headers: {} }, { method: 'GET' }];
    for (const request of [sockeless, headless]) server.emit('request', request, new EventEmitter());
    expect(told).toEqual([sockeless, headless]);
    expect(faults.map(({ code }) => code)).toEqual(['CALLBACK_FAILED']);
  });

  test('says failed when the server cut the response off', async () => {
    const { port, entries } = await run({}, (_request, response) => {
      response.write('half');
      response.destroy(new Error('on purpose'));
    });
    await send(port, 'POST', '/a').catch(() => {});
    expect((await entries(1))[0]).toMatchObject({ request: { outcome: 'failed' } });
    expect((await entries(1))[0]).not.toHaveProperty('topic');
  });
});

describe('a topic', () => {
  test('comes from the routes, with data when asked', async () => {
    const routes = { '/plugins/:plugin/:entity/:id?/:action?': '/:plugin/:entity/:action' };
    const { port, entries } = await run({ routes, routeData: true });
    await send(port, 'POST', '/plugins/kimchi/vms/vm-7/clone');
    expect((await entries(1))[0]).toMatchObject({ topic: 'POST:/kimchi/vms/clone', data: { id: 'vm-7' } });
  });

  test('comes from the function: one, several or none', async () => {
    const { port, entries } = await run({
      topic: ({ url }) => (url === '/none' ? false : url === '/two' ? ['POST:/x', 'POST:/y'] : 'POST:/one'),
    });
    await send(port, 'POST', '/none');
    await send(port, 'POST', '/two');
    await send(port, 'POST', '/1');
    const found = await entries(4);
    expect(found.map(({ topic }) => topic)).toEqual([undefined, 'POST:/x', 'POST:/y', 'POST:/one']);
    expect(found.map(({ request }) => request !== undefined)).toEqual([true, true, false, true]);
  });

  test('is logged and not announced for a failed request, unless asked', async () => {
    const fail: RequestListener = (_request, response) => response.writeHead(409).end();
    const quiet = await run({}, fail);
    await send(quiet.port, 'POST', '/a');
    const [entry] = await quiet.entries(1);
    expect(entry).not.toHaveProperty('topic');
    expect(entry?.request).toMatchObject({ status: 409, topic: 'POST:/a', outcome: 'completed' });
    const loud = await run({ announceFailed: true }, fail);
    await send(loud.port, 'POST', '/a');
    expect((await loud.entries(1))[0]?.topic).toBe('POST:/a');
  });

  test('that is malformed is reported each time, and the request goes on', async () => {
    const { port, entries, faults } = await run();
    for (const url of ['/a//EOM//b', '/a//EOM//b', `/${'x'.repeat(600)}`])
      expect((await send(port, 'POST', url)).status).toBe(201);
    const found = await entries(3);
    expect(found.map(({ topic }) => topic)).toEqual([undefined, undefined, undefined]);
    expect(faults.map(({ code }) => code)).toEqual(['INVALID_TOPIC', 'INVALID_TOPIC', 'INVALID_TOPIC']);
  });

  test('of the log is announced for each record, failed ones too', async () => {
    const { port, entries } = await run({ announceLog: 'POST:/wok/logs' }, (request, response) => {
      response.statusCode = request.url === '/bad' ? 500 : 200;
      response.end();
    });
    await send(port, 'POST', '/bad');
    await send(port, 'POST', '/good');
    const found = await entries(4);
    expect(found.map(({ topic }) => topic)).toEqual([
      undefined,
      'POST:/wok/logs',
      'POST:/good',
      'POST:/wok/logs',
    ]);
  });

  test.each([
    ['page-1', 'DrI25Q3jXFnAO2NiliQ1Gv'],
    ['not a name', undefined],
  ])('remembers the mark of the client that named itself %p, and not the name', async (name, expected) => {
    const { port, entries } = await run();
    await send(port, 'POST', '/a', { headers: { 'Reqcast-Client': name } });
    const [entry] = await entries(1);
    expect(entry?.client).toBe(expected);
    expect(JSON.stringify(entry)).not.toContain(name);
  });

  test('carries the audience', async () => {
    const { port, entries } = await run({ audience: () => ['staff'] });
    await send(port, 'POST', '/a');
    expect((await entries(1))[0]?.audience).toEqual(['staff']);
  });
});

describe('a function of the app that throws', () => {
  const boom = () => {
    throw new Error('on purpose');
  };

  test.each(['user', 'app', 'message', 'topic', 'skip', 'onRecord', 'write'] as const)(
    'as %s is reported, and the request is logged all the same',
    async (option) => {
      const { port, entries, faults } = await run({ [option]: boom });
      expect((await send(port, 'POST', '/a')).status).toBe(201);
      expect((await entries(1))[0]?.request).toMatchObject({ status: 201 });
      expect(faults[0]).toMatchObject({ code: 'CALLBACK_FAILED', message: expect.stringContaining(option) });
    },
  );

  test.each(['write', 'onRecord', 'user', 'params', 'audience'] as const)(
    'later, as %s, is reported and does not end the process',
    async (option) => {
      const { port, entries, faults } = await run({ [option]: async () => boom() });
      await send(port, 'POST', '/a');
      expect(await entries(1)).toHaveLength(1);
      await until(() => faults.some(({ message }) => message.includes(`${option} threw: Error: on purpose`)));
    },
  );

  test('later, as onError, does not end the process', async () => {
    const { port, entries } = await run({ onError: async () => boom(), user: boom });
    await send(port, 'POST', '/a');
    expect(await entries(1)).toHaveLength(1);
  });

  test('as audience hides the notification from everyone', async () => {
    const { port, entries } = await run({ audience: boom });
    await send(port, 'POST', '/a');
    expect((await entries(1))[0]?.audience).toEqual([]);
  });

  test.each([['staff'], [null], [[7]]])('that gives %p as audience hides it too', async (audience) => {
    const { port, entries, faults } = await run({ audience: () => audience as unknown as string[] });
    await send(port, 'POST', '/a');
    expect((await entries(1))[0]?.audience).toEqual([]);
    expect(faults[0]).toMatchObject({
      code: 'CALLBACK_FAILED',
      message: expect.stringContaining('audience'),
    });
  });

  test('something without a text is reported', async () => {
    const { port, entries, faults } = await run({
      user: () => {
        throw Object.create(null);
      },
    });
    await send(port, 'POST', '/a');
    expect(await entries(1)).toHaveLength(1);
    expect(faults[0]).toMatchObject({ code: 'CALLBACK_FAILED' });
  });

  test('as onError is survived', async () => {
    const { port, entries } = await run({ onError: boom, user: boom });
    await send(port, 'POST', '/a');
    expect(await entries(1)).toHaveLength(1);
  });
});

describe('a task', () => {
  test('ends with a record tied to its request, and announces TASK', async () => {
    let finish: (() => void) | undefined;
    const { live, port, entries } = await run({}, (_request, response) => {
      const task = live.task(response);
      finish = () => task.done(200, { data: { id: 'vm-8' } });
      response.writeHead(202).end();
    });
    await send(port, 'POST', '/kimchi/vms/clone');
    const [first] = await entries(1);
    finish?.();
    finish?.();
    const [, second] = await entries(2);
    expect(second).toMatchObject({
      topic: 'TASK:/kimchi/vms/clone',
      data: { id: 'vm-8' },
      request: { method: 'TASK', status: 200, task: first?.request?.id },
    });
    const merged: Entry[] = [];
    for await (const entry of live.journal.query()) merged.push(entry);
    expect(merged).toHaveLength(1);
    expect(merged[0]?.request).toMatchObject({ id: first?.request?.id, method: 'POST', status: 200 });
  });

  test('that ends before its response is written after it', async () => {
    const { live, port, entries } = await run({}, (_request, response) => {
      live.task(response).done(500);
      response.writeHead(202).end();
    });
    await send(port, 'POST', '/a');
    const found = await entries(2);
    expect(found.map(({ topic }) => topic)).toEqual(['POST:/a', 'TASK:/a']);
    expect(found[1]?.request).toMatchObject({ status: 500, outcome: 'failed' });
  });

  test('of a GET may begin when the response is closed', async () => {
    const { live, port, entries } = await run({}, (_request, response) => {
      response.once('close', () => setImmediate(() => live.task(response).done()));
      response.writeHead(202).end();
    });
    const socket = net.connect(port, '127.0.0.1', () => socket.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n'));
    afterwards(() => socket.destroy());
    await entries(2);
    await once(socket.resume().end(), 'close');
    expect((await entries(2)).map(({ topic }) => topic)).toEqual(['GET:/a', 'TASK:/a']);
  });

  test('refuses data that is no JSON, and can be ended after that', async () => {
    const { live, port, entries } = await run({}, (_request, response) => {
      const task = live.task(response);
      expect(() => task.done(200, { data: { id: 7n } })).toThrow(
        expect.objectContaining({ code: 'INVALID_DATA' }),
      );
      task.done(200, { data: { id: '7' } });
      response.writeHead(202).end();
    });
    await send(port, 'POST', '/a');
    expect((await entries(2))[1]?.data).toEqual({ id: '7' });
  });

  test('refuses a status that is none', async () => {
    let thrown: unknown;
    const { live, port } = await run({}, (_request, response) => {
      try {
        live.task(response).done(42);
      } catch (error) {
        thrown = error;
      }
      response.end();
    });
    await send(port, 'POST', '/a');
    expect(thrown).toMatchObject({ code: 'INVALID_OPTION' });
  });
});
