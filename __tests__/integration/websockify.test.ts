import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { attach } from '../../lib/index.ts';
import { testWith } from '../support/program.ts';
import { afterwards, closeServer, listen, until } from '../support/server.ts';

async function freePort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await closeServer(server);
  return port;
}

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
