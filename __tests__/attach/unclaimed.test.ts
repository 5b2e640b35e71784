import http from 'node:http';
import type { Socket } from 'node:net';
import { serveAsRequest } from '../../lib/attach/unclaimed.ts';
import { listen, until } from '../support/server.ts';

test('a body that does not come to its end is not waited for longer than the server waits', async () => {
  const server = Object.assign(http.createServer(), { requestTimeout: 50 });
  const bodies: http.IncomingMessage[] = [];
  server.on('request', (request) => bodies.push(request.resume()));
  server.on('upgrade', (request, socket, head) => serveAsRequest(server, request, socket as Socket, head));
  const port = await listen(server);
  const headers = { Connection: 'Upgrade', Upgrade: 'h2c', 'Content-Length': '10' };
  const request = http.request({ port, host: '127.0.0.1', method: 'POST', headers });
  const failed = new Promise((resolve) => request.once('error', resolve));
  request.write('half');
  expect(await failed).toMatchObject({ code: 'ECONNRESET' });
  await until(() => bodies[0]?.destroyed);
  expect(bodies[0]?.complete).toBe(false);
});
