import http, { type RequestListener } from 'node:http';
import express from 'express';
import { type AttachOptions, attach } from '../../lib/index.ts';
import { afterwards, listen, send } from '../support/server.ts';

async function run(handler: RequestListener, options: AttachOptions = {}) {
  const server = http.createServer(handler);
  const live = attach(server, options);
  afterwards(() => live.close());
  await live.ready;
  live.notify('POST:/a');
  const port = await listen(server);
  const metric = `reqcast;desc="${live.position?.epoch}:1"`;
  const get = async (headers: http.OutgoingHttpHeaders, method = 'GET') =>
    (await send(port, method, '/', { headers })).headers['server-timing'];
  return { live, port, get, metric };
}

const page = { 'Sec-Fetch-Dest': 'document' };
const plain: RequestListener = (_request, response) => response.end('hello');

test.each([
  ['a document', { 'Sec-Fetch-Dest': 'document' }, true],
  ['a framed document', { 'Sec-Fetch-Dest': 'iframe' }, true],
  ['what asks for HTML', { Accept: 'text/html,*/*;q=0.8' }, true],
  ['a fetch that asks for HTML', { 'Sec-Fetch-Dest': 'empty', Accept: 'text/html' }, false],
  ['an image', { 'Sec-Fetch-Dest': 'image' }, false],
  ['a request that says nothing', {}, false],
])('the response to %s tells the position: %p %p', async (_name, headers, told) => {
  const { get, metric } = await run(plain);
  expect(await get(headers)).toBe(told ? metric : undefined);
});

test('a HEAD or POST is left alone', async () => {
  const { get } = await run(plain);
  expect(await get(page, 'HEAD')).toBeUndefined();
  expect(await get(page, 'POST')).toBeUndefined();
});

test('a page that passes the middleware too tells it once', async () => {
  const { live, get, metric } = await run((request, response) =>
    live.middleware()(request, response, () => response.end()),
  );
  expect(await get(page)).toBe(metric);
});

test('the option turns it off', async () => {
  const { get } = await run(plain, { serverTiming: false });
  expect(await get(page)).toBeUndefined();
});

test.each<[string, RequestListener]>([
  ['setHeader', (_request, response) => response.setHeader('Server-Timing', 'db;dur=5').end()],
  ['appendHeader', (_request, response) => response.appendHeader('server-timing', 'db;dur=5').end()],
  ['writeHead', (_request, response) => response.writeHead(200, { 'server-timing': 'db;dur=5' }).end()],
  [
    'writeHead with a reason',
    (_request, response) => response.writeHead(200, 'OK', { 'Server-Timing': 'db;dur=5' }).end(),
  ],
])('an app’s own metric given by %s stays beside ours', async (_name, handler) => {
  const { get, metric } = await run(handler);
  expect(await get(page)).toBe(`db;dur=5, ${metric}`);
});

test.each<[string, RequestListener]>([
  ['writeHead without headers', (_request, response) => response.writeHead(200).end()],
  ['writeHead with a list', (_request, response) => response.writeHead(200, ['X-A', '1']).end()],
  [
    'flushHeaders',
    (_request, response) => {
      response.flushHeaders();
      response.end();
    },
  ],
])('%s tells the position too', async (_name, handler) => {
  const { get, metric } = await run(handler);
  expect(await get(page)).toBe(metric);
});

test.each<[string, string[] | [string, string][]]>([
  ['in turn', ['Set-Cookie', 'a=1', 'Server-Timing', 'db;dur=5', 'Set-Cookie', 'b=2']],
  [
    'in pairs',
    [
      ['Set-Cookie', 'a=1'],
      ['Server-Timing', 'db;dur=5'],
      ['Set-Cookie', 'b=2'],
    ],
  ],
])('a list of headers, names and values %s, is sent whole', async (_name, list) => {
  const { port, metric } = await run((_request, response) => response.writeHead(200, list as string[]).end());
  const { status, headers } = await send(port, 'GET', '/', { headers: page });
  expect([status, headers['set-cookie']]).toEqual([200, ['a=1', 'b=2']]);
  expect(headers['server-timing']).toBe(`db;dur=5, ${metric}`);
});

test('a list of headers beside those that were set leaves these their metric', async () => {
  const { get, metric } = await run((_request, response) =>
    response.setHeader('Server-Timing', 'db;dur=5').writeHead(200, ['X-A', '1']).end(),
  );
  expect(await get(page)).toBe(`db;dur=5, ${metric}`);
});

test('the position is that of the request, not of the response', async () => {
  const { live, get, metric } = await run((_request, response) => {
    live.notify('POST:/meanwhile');
    response.end();
  });
  expect(await get(page)).toBe(metric);
});

test('a conditional request is answered as before', async () => {
  const app = express();
  app.get('/', (_request, response) => {
    response.type('html').send('<p>hello');
  });
  const server = http.createServer(app);
  const live = attach(server);
  afterwards(() => live.close());
  await live.ready;
  const port = await listen(server);
  const first = await send(port, 'GET', '/', { headers: page });
  const headers = { ...page, 'If-None-Match': first.headers.etag };
  const second = await send(port, 'GET', '/', { headers });
  expect(second.status).toBe(304);
  expect(second.headers['server-timing']).toBe(first.headers['server-timing']);
});
