import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { WebSocket } from 'ws';
import { attach } from '../../lib/index.ts';
import { testWith } from '../support/program.ts';
import { afterwards, freePort, listen, until } from '../support/server.ts';

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

testWith('websockify', 'websockify')('Python’s websockify relays our push server', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'reqcast-'));
  afterwards(() => rmSync(directory, { recursive: true, force: true }));
  const socketPath = join(directory, 'woknotifications');
  const live = attach(http.createServer(), { pushServer: { socketPath } });
  afterwards(() => live.close());
  await live.ready;

  const port = await freePort();
  const relay = spawn('websockify', [`--unix-target=${socketPath}`, `127.0.0.1:${port}`], {
    stdio: 'ignore',
  });
  afterwards(() => {
    relay.kill('SIGKILL');
  });
  await until(() => canConnect(port));

  const ws = new WebSocket(`ws://127.0.0.1:${port}`, ['binary']);
  afterwards(() => ws.terminate());
  let text = '';
  ws.on('message', (data) => {
    text += data;
  });
  await new Promise((resolve) => ws.once('open', resolve));
  // The relay's own connection to the push server may come after its handshake.
  await until(() => {
    if (text === '') live.notify('POST:/ginger/users');
    return text !== '';
  });
  expect(text).toMatch(/^(POST:\/ginger\/users\/\/EOM\/\/)+$/);
});

testWith('websockify', 'websockify')(
  'Python’s websockify is a target that speaks WebSocket itself',
  async () => {
    const target = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
    const targetPort = await listen(target);
    const directory = mkdtempSync(join(tmpdir(), 'reqcast-'));
    afterwards(() => rmSync(directory, { recursive: true, force: true }));
    const tokens = join(directory, 'tokens');
    writeFileSync(tokens, `its-own: 127.0.0.1:${targetPort}\n`);
    const relayPort = await freePort();
    const args = ['--token-plugin=ReadOnlyTokenFile', `--token-source=${tokens}`, `127.0.0.1:${relayPort}`];
    const relay = spawn('websockify', args, { stdio: 'ignore' });
    afterwards(() => {
      relay.kill('SIGKILL');
    });
    await until(() => canConnect(relayPort));

    const server = http.createServer();
    const targets = { relay: { http: `http://127.0.0.1:${relayPort}/?token=its-own` } };
    const live = attach(server, { authorize: () => true, proxy: { targets } });
    afterwards(() => live.close());
    const token = Buffer.from('relay').toString('base64url');
    const ws = new WebSocket(`ws://127.0.0.1:${await listen(server)}/websockify?token=${token}`, ['binary']);
    afterwards(() => ws.terminate());
    const sent = randomBytes(8 * 1024 * 1024);
    const got: Buffer[] = [];
    ws.on('message', (data: Buffer) => got.push(data));
    await new Promise((resolve) => ws.once('open', resolve));
    for (let at = 0; at < sent.length; at += 65536) ws.send(sent.subarray(at, at + 65536));
    await until(() => got.reduce((sum, { length }) => sum + length, 0) === sent.length);
    expect(Buffer.concat(got).equals(sent)).toBe(true);
    ws.close(1000);
    await until(() => live.tunnels().length === 0);
  },
);

describe('websockify’s own client class', () => {
  const pythons = ['python3', '/usr/bin/python3'];
  const imports = (python: string) => spawnSync(python, ['-c', 'import websockify.websocket']).status === 0;
  const python = pythons.find(imports) ?? 'python3-websockify';

  // Its base64 wire ended with version 0.8; what is installed knows binary frames only.
  testWith(python, 'python3-websockify').each(['binary', ''])(
    'gets back what it sends through a tunnel, 50 MB of it, with the subprotocol "%s"',
    async (protocol) => {
      const target = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
      const targetPort = await listen(target);
      const server = http.createServer();
      const proxy = { targets: { echo: { host: '127.0.0.1', port: targetPort } }, log: true };
      const live = attach(server, { authorize: () => true, proxy });
      afterwards(() => live.close());
      const url = `ws://127.0.0.1:${await listen(server)}/websockify?token=${Buffer.from('echo').toString('base64url')}`;
      const script = resolve('__tests__/integration/websockify-client.py');
      const child = spawn(python, [script, url, protocol, '50'], { stdio: ['ignore', 'pipe', 'inherit'] });
      afterwards(() => child.kill('SIGKILL'));
      expect(String(Buffer.concat(await child.stdout.toArray()))).toBe(
        `52428800 True ${protocol || 'None'}\n`,
      );
      await until(() => live.tunnels().length === 0);
      for await (const { request } of live.journal.query({ limit: 1 }))
        expect(request?.tunnel).toMatchObject({
          reason: 'client-closed',
          bytesIn: 52428800,
          bytesOut: 52428800,
        });
    },
    60_000,
  );
});
