import { once } from 'node:events';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { serveAsRequest } from '../../lib/attach/unclaimed.ts';
import { listen, until } from '../support/server.ts';

test('a body that does not come to its end is not waited for longer than the server waits', async () => {
  const limits = { requestTimeout: 50, headersTimeout: 50, connectionsCheckingInterval: 10 };
  const server = http.createServer(limits);
  const bodies: http.IncomingMessage[] = [];
  server.on('request', (request) => bodies.push(request.resume()));
  server.on('upgrade', (request, socket, head) => serveAsRequest(server, request, socket as Socket, head));
  const port = await listen(server);
  const headers = { Connection: 'Upgrade', Upgrade: 'h2c', 'Content-Length': '10' };
  const request = http.request({ port, host: '127.0.0.1', method: 'POST', headers });
  // Cut off, or from Node 26 on answered with 408 by the server itself.
  request.on('error', () => {});
  const over = new Promise((resolve) => request.once('close', resolve));
  request.write('half');
  await over;
  await until(() => bodies[0]?.destroyed);
  expect(bodies[0]?.complete).toBe(false);
});

test.each(['at once', 'later'])(
  'the body of an upgrade that nobody takes is the request’s, if it comes %s',
  async (when) => {
    const server = http.createServer((request, response) => request.pipe(response));
    server.on('upgrade', (request, socket, head) => serveAsRequest(server, request, socket as Socket, head));
    const client = connect(await listen(server), '127.0.0.1');
    const reply = text(client);
    client.write(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n${when === 'later' ? '' : 'hello'}`,
    );
    if (when === 'later') {
      await once(server, 'request');
      client.write('hello');
    }
    expect(await reply).toContain('\r\n\r\n5\r\nhello\r\n0');
  },
);
