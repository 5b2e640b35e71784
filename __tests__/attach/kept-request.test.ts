import { IncomingMessage } from 'node:http';
import net from 'node:net';
import type { AttachOptions } from '../../lib/index.ts';
import { runAttached } from '../support/attached.ts';
import { afterwards, until } from '../support/server.ts';

const HANDSHAKE = [
  'GET /websockify?a=%20b HTTP/1.1',
  'Host: example.com',
  'Cookie: user=ada; theme=ä',
  'Connection: Upgrade',
  'X-Twice: 1',
  'Upgrade: websocket',
  'cookie: more=1',
  'x-twice: 2',
  'X-Empty:',
  'Accept-Language:',
  'Set-Cookie: of no use',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: reqcast.v1',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
].join('\r\n');

/** What `disconnect` is shown of the one connection. */
async function shown(options: AttachOptions) {
  const { live, port } = await runAttached({ closeTimeoutMs: 20, ...options });
  const socket = net.connect(port, '127.0.0.1');
  afterwards(() => socket.destroy());
  socket.write(`${HANDSHAKE}\r\n\r\n`, 'latin1');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.resume();
  const seen: unknown[] = [];
  live.disconnect(({ request, audiences }) => {
    const { method, url, headers, httpVersion, complete, upgrade } = request as IncomingMessage & {
      upgrade: boolean;
    };
    expect(request).toBeInstanceOf(IncomingMessage);
    expect(request.socket.remotePort).toBe(socket.localPort);
    seen.push({
      method,
      url,
      headers,
      httpVersion,
      complete,
      upgrade,
      audiences,
    });
    return true;
  });
  await until(() => socket.readableEnded);
  return seen;
}

test('is shown to disconnect as one that authorize was asked about', async () => {
  const kept = await shown({});
  expect(kept).toHaveLength(1);
  expect(kept).toEqual(await shown({ authorize: () => true }));
});

test('is the very request that authorize was asked about, where one was', async () => {
  const asked = new WeakSet<object>();
  const { live, port } = await runAttached({ authorize: (request) => !!asked.add(request) });
  const socket = net.connect(port, '127.0.0.1');
  afterwards(() => socket.destroy());
  socket.write(`${HANDSHAKE}\r\n\r\n`, 'latin1');
  await new Promise((resolve) => socket.once('data', resolve));
  expect(live.disconnect(({ request }) => asked.has(request))).toBe(1);
});
