import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { attach } from '../../lib/index.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards, listen, send, until } from '../support/server.ts';

async function run() {
  const socketPath = join(temporaryDirectory(), 'woknotifications');
  const server = http.createServer((_request, response) => response.end());
  const faults: string[] = [];
  const options = { pushServer: { socketPath }, onError: ({ code }: { code: string }) => faults.push(code) };
  const live = attach(server, options);
  afterwards(() => live.close());
  await live.ready;
  return { live, server, socketPath, faults, options, port: await listen(server) };
}

async function peer(socketPath: string) {
  const socket = net.connect(socketPath);
  afterwards(() => socket.destroy());
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  return { socket, text: () => text };
}

test('a peer on the UNIX socket reads each topic that has no audience', async () => {
  const { live, port, socketPath } = await run();
  expect(live.socketPath).toBe(socketPath);
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  const reader = await peer(socketPath);
  reader.socket.write('heartbeat');
  await until(() => {
    if (reader.text() === '') live.notify('POST:/hello');
    return reader.text();
  });
  live.notify('POST:/secret', undefined, { audience: ['staff'] });
  await send(port, 'DELETE', '/ginger/users/7');
  await until(() => reader.text().includes('DELETE'));
  expect(reader.text()).toMatch(/^(POST:\/hello\/\/EOM\/\/)+DELETE:\/ginger\/users\/7\/\/EOM\/\/$/);
});

test('close lets peers read the last notification, ends them and removes the socket', async () => {
  const { live, socketPath } = await run();
  const reader = await peer(socketPath);
  await until(() => {
    if (reader.text() === '') live.notify('POST:/hello');
    return reader.text();
  });
  const ended = once(reader.socket, 'end');
  live.notify('POST:/last');
  await live.close();
  await ended;
  expect(reader.text()).toMatch(/POST:\/last\/\/EOM\/\/$/);
  expect(existsSync(socketPath)).toBe(false);
});

test('a second attachment on a living socket is refused, and its requests go on', async () => {
  const first = await run();
  const server = http.createServer((_request, response) => response.end());
  const second = attach(server, first.options);
  afterwards(() => second.close());
  await expect(second.ready).rejects.toMatchObject({
    code: 'SOCKET_IN_USE',
    message: expect.stringContaining(first.socketPath),
  });
  expect((await send(await listen(server), 'POST', '/a')).status).toBe(200);
  await second.close();
  expect(existsSync(first.socketPath)).toBe(true);
});
