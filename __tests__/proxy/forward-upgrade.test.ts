import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import net, { type Socket } from 'node:net';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import type { ReqcastError } from '../../lib/protocol/errors.ts';
import { connectTarget } from '../../lib/proxy/connect.ts';
import { type ForwardUpgradeOptions, forwardUpgrade } from '../../lib/proxy/forward-upgrade.ts';
import type { OpenTunnel } from '../../lib/proxy/open-tunnel.ts';
import type { HttpAddress } from '../../lib/proxy/target.ts';
import { openSockets } from '../support/descriptors.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards, listen, until } from '../support/server.ts';

const MB = 1024 * 1024;

interface Host {
  port: number;
  tunnels: OpenTunnel[];
  refused: ReqcastError[];
}

/** A server that forwards each upgrade. */
async function host(target: HttpAddress, options: Partial<ForwardUpgradeOptions> = {}): Promise<Host> {
  const server = http.createServer();
  const tunnels: OpenTunnel[] = [];
  const refused: ReqcastError[] = [];
  server.on('upgrade', async (request, socket: Socket, head) => {
    socket.on('error', () => {});
    const stream = await connectTarget({ http: target });
    tunnels.push(
      forwardUpgrade({ request, socket, head }, stream, {
        target,
        answerTimeoutMs: 10_000,
        refuse: (error) => {
          refused.push(error);
          socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n');
        },
        ...options,
      }),
    );
  });
  return { port: await listen(server), tunnels, refused };
}

/** A target of which the test says each byte. */
async function rawTarget(onHandshake: (socket: Socket) => void, allowHalfOpen = true) {
  const sockets: Socket[] = [];
  const server = net.createServer({ allowHalfOpen }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => onHandshake(socket));
    afterwards(() => socket.destroy());
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}/`, sockets };
}

const HANDSHAKE = [
  'GET /websockify?token=c2VjcmV0 HTTP/1.1',
  'Host: here',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'X-Forwarded-For: 6.6.6.6',
  '\r\n',
].join('\r\n');

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

async function client(port: number): Promise<Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  afterwards(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(HANDSHAKE);
  return socket;
}

function textOf(socket: Socket): () => string {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}

describe('a forwarded WebSocket', () => {
  test.each(['host and port', 'a UNIX socket'])(
    'reaches its server on %s and carries both ways',
    async (where) => {
      const requests: IncomingMessage[] = [];
      const server = http.createServer();
      const wss = new WebSocketServer({ server, path: '/ws' });
      wss.on('connection', (ws, request) => {
        requests.push(request);
        ws.on('message', (data, binary) => ws.send(data, { binary }));
      });
      let target: HttpAddress;
      if (where === 'host and port') target = `http://127.0.0.1:${await listen(server)}/ws?key=7`;
      else {
        const socketPath = join(temporaryDirectory(), 'plugin');
        await new Promise<void>((resolve) => server.listen(socketPath, resolve));
        afterwards(() => server.close());
        target = { socketPath, path: '/ws?key=7' };
      }
      const { port, tunnels } = await host(target);
      const ws = new WebSocket(`ws://127.0.0.1:${port}/websockify?token=c2VjcmV0`, {
        headers: { 'X-Forwarded-For': '6.6.6.6', Cookie: 'sid=1' },
      });
      afterwards(() => ws.terminate());
      await once(ws, 'open');
      for (const text of ['one', 'x'.repeat(200_000)]) {
        ws.send(text);
        expect(String((await once(ws, 'message'))[0])).toBe(text);
      }
      expect(requests[0]?.url).toBe('/ws?key=7');
      expect(requests[0]?.headers).toMatchObject({
        cookie: 'sid=1',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': `127.0.0.1:${port}`,
      });
      expect(JSON.stringify(requests[0]?.rawHeaders)).not.toContain('c2VjcmV0');
      ws.close(1000);
      expect((await once(ws, 'close'))[0]).toBe(1000);
      const end = await tunnels[0]?.ended;
      expect(end?.bytesIn).toBeGreaterThan(200_000);
      expect(end?.bytesOut).toBeGreaterThan(200_000);
      wss.close();
    },
  );

  test('stops the target while the client does not read, with little in memory', async () => {
    let taken = 0;
    const { url } = await rawTarget((socket) => {
      socket.write(SWITCHING);
      const chunk = Buffer.alloc(64 * 1024);
      const pump = () => {
        if (taken < 64 * MB)
          socket.write(chunk, () => {
            taken += chunk.length;
            pump();
          });
      };
      pump();
    });
    const { port, tunnels } = await host(url);
    const socket = await client(port);
    await once(socket, 'data');
    socket.pause();
    let last = -1;
    let same = 0;
    await until(() => {
      same = taken === last ? same + 1 : 0;
      last = taken;
      return same > 50;
    });
    expect(taken).toBeLessThan(32 * MB);
    expect(tunnels[0]?.bytesOut).toBeLessThan(32 * MB);
  });

  test('is refused by the target in the target’s words', async () => {
    const server = http.createServer((_, response) => response.writeHead(404).end('no such console'));
    const answer = 'HTTP/1.1 403 Forbidden\r\nX-Why: später\r\nContent-Length: 2\r\n\r\nno';
    server.on('upgrade', (_, socket) => socket.end(answer));
    const { port } = await host(`http://127.0.0.1:${await listen(server)}`);
    const socket = await client(port);
    const text = textOf(socket);
    await once(socket, 'end');
    expect(text()).toMatch(/^HTTP\/1.1 403 .*x-why: später\r\n.*\r\n\r\nno$/s);
  });

  test('ends when it was silent, or open, for too long, or carried too much', async () => {
    const { url } = await rawTarget((socket) => {
      socket.write(SWITCHING);
      socket.on('data', (chunk) => socket.write(chunk));
    });
    for (const [limits, reason] of [
      [{ idleTimeoutMs: 30 }, 'idle'],
      [{ maxDurationMs: 30 }, 'max-duration'],
      [{ maxBytes: 10 }, 'max-bytes'],
    ] as const) {
      const { port, tunnels } = await host(url, { ...limits, closeTimeoutMs: 20 });
      const socket = await client(port);
      await once(socket, 'data');
      if (reason === 'max-bytes') socket.write('more than ten bytes');
      await once(socket.resume(), 'end');
      socket.end();
      expect((await tunnels[0]?.ended)?.reason).toBe(reason);
    }
  });
});

describe('what http-proxy does not guard against', () => {
  test('1: a client that resets before the target answers leaves no request open', async () => {
    const { url, sockets } = await rawTarget(() => {});
    const { port, tunnels } = await host(url);
    const socket = await client(port);
    await until(() => sockets[0]?.bytesRead);
    await until(() => tunnels.length > 0);
    socket.resetAndDestroy();
    await until(() => sockets[0]?.readableEnded || sockets[0]?.destroyed);
    sockets[0]?.end();
    expect((await tunnels[0]?.ended)?.reason).toBe('client-failed');
  });

  test('2: a client that resets after the target refused ends nobody', async () => {
    const { url, sockets } = await rawTarget((socket) => {
      socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 1000000\r\n\r\nfirst');
    });
    const { port, tunnels } = await host(url);
    const socket = await client(port);
    await once(socket, 'data');
    socket.resetAndDestroy();
    await until(() => sockets[0]?.readableEnded || sockets[0]?.destroyed);
    sockets[0]?.destroy();
    await tunnels[0]?.ended;
  });

  test('2b: a refusal that breaks off does not leave the client waiting', async () => {
    const { url } = await rawTarget((socket) => {
      socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 1000000\r\n\r\nfirst', () =>
        socket.resetAndDestroy(),
      );
    });
    const { port, tunnels } = await host(url, { closeTimeoutMs: 600_000 });
    const socket = await client(port);
    await once(socket.resume(), 'end');
    socket.end();
    await tunnels[0]?.ended;
  });

  test('2c: a long refusal waits for a client that does not read', async () => {
    let taken = 0;
    const { url } = await rawTarget((socket) => {
      socket.write(`HTTP/1.1 404 Not Found\r\nContent-Length: ${256 * MB}\r\n\r\n`);
      const chunk = Buffer.alloc(64 * 1024);
      const pump = () => {
        if (taken < 64 * MB)
          socket.write(chunk, () => {
            taken += chunk.length;
            pump();
          });
      };
      pump();
    });
    const { port } = await host(url);
    const socket = await client(port);
    await once(socket, 'data');
    socket.pause();
    let last = -1;
    let same = 0;
    await until(() => {
      same = taken === last ? same + 1 : 0;
      last = taken;
      return same > 50;
    });
    expect(taken).toBeLessThan(32 * MB);
  });

  test('4: a target that never ends its half is cut off in time, and a client too', async () => {
    const { url, sockets } = await rawTarget((socket) => {
      socket.write(SWITCHING);
      socket.resume();
    });
    const { port, tunnels } = await host(url, { closeTimeoutMs: 30 });
    const first = await client(port);
    await once(first, 'data');
    first.end();
    await until(() => sockets[0]?.readableEnded);
    expect((await tunnels[0]?.ended)?.reason).toBe('client-closed');
    const second = await client(port);
    await once(second, 'data');
    sockets[1]?.end();
    await once(second.resume(), 'end');
    expect((await tunnels[1]?.ended)?.reason).toBe('target-closed');
  });

  test('6: a target that takes the handshake and says nothing is given up', async () => {
    const { url } = await rawTarget(() => {});
    const { port, refused, tunnels } = await host(url, { answerTimeoutMs: 30 });
    const socket = await client(port);
    const text = textOf(socket);
    await once(socket, 'end');
    socket.end();
    expect(text()).toContain('502 Bad Gateway');
    expect(refused.map(({ code }) => code)).toEqual(['TARGET_TIMEOUT']);
    expect((await tunnels[0]?.ended)?.reason).toBe('target-failed');
  });

  test('7: a target that resets, or speaks no HTTP, is told before the handshake', async () => {
    for (const act of [
      (s: Socket) => s.resetAndDestroy(),
      (s: Socket) => s.end('SSH-2.0-x\r\n'),
      (s: Socket) => s.end(),
    ]) {
      const { url } = await rawTarget(act as (socket: Socket) => void);
      const { port, refused } = await host(url);
      const socket = await client(port);
      const text = textOf(socket);
      await once(socket, 'end');
      socket.end();
      expect(text()).toContain('502 Bad Gateway');
      expect(refused.map(({ code }) => code)).toEqual(['TARGET_FAILED']);
    }
  });
});

test('a thousand clients that reset at some point leave no socket open', async () => {
  const { url } = await rawTarget((socket) => {
    socket.resume();
    const how = Math.random();
    if (how < 0.3) return;
    if (how < 0.5) socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno');
    else socket.write(`${SWITCHING}hello`);
  }, false);
  const { port, tunnels } = await host(url);
  const before = openSockets();
  for (let round = 0; round < 50; round++) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await client(port);
        const left = once(socket, 'close');
        const how = Math.random();
        if (how < 0.3) socket.resetAndDestroy();
        else if (how < 0.6) setImmediate(() => socket.resetAndDestroy());
        else {
          socket.once('data', () => socket.resetAndDestroy());
          setTimeout(() => socket.resetAndDestroy(), 10);
        }
        await left;
      }),
    );
  }
  await until(() => openSockets() === before);
  await Promise.all(tunnels.map(({ ended }) => ended));
});
