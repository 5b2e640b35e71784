// A pretend virtual machine with its console on a UNIX socket, as QEMU has it with `-serial unix:…`.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot } from './boot.js';
import { lineReader } from './line-reader.js';
import { useShell } from './shell.js';

/** Each connection switches a machine on. Only this user may open the socket: it is in a directory of mode 0700. */
export async function startMachines() {
  const directory = await mkdtemp(join(tmpdir(), 'reqcast-serial-'));
  const socketPath = join(directory, 'console.sock');
  const streams = new Set();
  const server = createServer((stream) => {
    streams.add(stream);
    stream.on('error', () => {}).on('close', () => streams.delete(stream));
    run(stream).catch(() => stream.destroy());
  });
  server.listen(socketPath);
  await once(server, 'listening');
  const close = async () => {
    for (const stream of streams) stream.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  };
  return { socketPath, close };
}

/** From power on to power off; rejects when the other end hangs up. */
async function run(stream) {
  const write = (text) => stream.write(text.replaceAll('\n', '\r\n'));
  const readLine = lineReader(stream, write);
  let last;
  do {
    await boot(write);
    const bootedAt = Date.now();
    do last = await useShell({ write, readLine, bootedAt });
    while (last === 'exit');
  } while (last === 'reboot');
  stream.end('reboot: Power down\r\n');
}
