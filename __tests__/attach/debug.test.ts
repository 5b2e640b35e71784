import http from 'node:http';
import { format } from 'node:util';
import createDebug from 'debug';
import { type AttachOptions, attach } from '../../lib/index.ts';
import { afterwards, listen, send, until } from '../support/server.ts';
import { refusal, subscribe } from '../support/subscriber.ts';

/** What is said for debugging, without time and name. */
function overhear(): string[] {
  const said: string[] = [];
  const { log } = createDebug;
  createDebug.log = (...parts) => said.push(format(...parts).replace(/^\S+ reqcast:/, ''));
  createDebug.enable('reqcast*');
  afterwards(() => {
    createDebug.disable();
    createDebug.log = log;
  });
  return said;
}

async function run(options: AttachOptions) {
  const server = http.createServer((request, response) => {
    response.statusCode = request.url === '/b' ? 404 : 201;
    response.end();
  });
  const live = attach(server, options);
  afterwards(() => live.close());
  return { live, port: await listen(server) };
}

test('DEBUG says what becomes of each request, and for whom', async () => {
  const said = overhear();
  const audience = ({ url }: http.IncomingMessage) => (url === '/a' ? ['staff'] : undefined);
  const { live, port } = await run({ audience });
  await send(port, 'POST', '/a?token=secret');
  await until(() => said.length === 2);
  await send(port, 'POST', '/b');
  await until(() => said.length === 3);
  live.notify('POST:/c');
  live.notify('POST:/d', 1, { audience: [] });
  expect(said.filter((line) => line.startsWith('entry'))).toEqual([
    expect.stringMatching(/^entry POST \/a\?token=\S+ 201: POST:\/a$/),
    'entry POST /b 404: not announced',
    'entry by hand: POST:/c',
    'entry by hand: POST:/d for nobody',
  ]);
  expect(said.join()).not.toContain('secret');
});

test('DEBUG says who got in and what they see, and why others did not', async () => {
  const said = overhear();
  const authorize = ({ headers }: http.IncomingMessage) => headers.cookie !== undefined && ['staff'];
  const { port } = await run({ authorize });
  await subscribe(port, ['*:/**'], '-', { headers: { cookie: 'a' } });
  await refusal(`ws://127.0.0.1:${port}/websockify`, ['reqcast.v1']);
  expect(said).toEqual([
    "websocket opened as reqcast.v1, audiences: [ 'staff' ]",
    'websocket refused with 401 UNAUTHORIZED: Log in first.',
  ]);
});
