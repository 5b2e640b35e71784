// Xvnc, a display that only exists on a UNIX socket, and a few programs on it.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = 'tigervnc-standalone-server x11-xserver-utils x11-apps xterm jwm fonts-dejavu-core';
const GEOMETRY = '1024x640';

/** What is on the display; of these, what is not installed is left out. */
const PROGRAMS = [
  ['xsetroot', '-solid', '#24304a'],
  ['jwm', '-f', fileURLToPath(new URL('desktop.jwmrc', import.meta.url))],
  ['xterm', '-name', 'terminal', '-title', 'Terminal', '-geometry', '84x26+40+40', '-fa', 'DejaVu Sans Mono', '-fs', '11'],
  ['xclock', '-geometry', '180x180-48+48', '-update', '1'],
  ['xeyes', '-geometry', '180x120-48+300'],
];

/** Starts the display; `socketPath` is where its RFB is spoken. */
export async function startDesktop() {
  const directory = await mkdtemp(join(tmpdir(), 'reqcast-desktop-'));
  const socketPath = join(directory, 'rfb.sock');
  const authority = join(directory, 'Xauthority');
  await writeFile(authority, xauthority(randomBytes(16)), { mode: 0o600 });
  // No password of its own and no TCP port: who may open the socket is for its mode to say, 0600, and for the server.
  const xvnc = spawn(
    'Xvnc',
    [
      ...['-rfbunixpath', socketPath, '-rfbport', '-1', '-SecurityTypes', 'None'],
      ...['-geometry', GEOMETRY, '-depth', '24', '-desktop', 'desktop'],
      ...['-auth', authority, '-nolisten', 'tcp', '-displayfd', '3'],
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  );
  const close = async () => {
    if (xvnc.pid && xvnc.exitCode === null && xvnc.signalCode === null) {
      xvnc.kill();
      await once(xvnc, 'exit');
    }
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const display = await Promise.race([once(xvnc.stdio[3], 'data'), once(xvnc, 'error').then(([e]) => Promise.reject(e))]);
    const env = { ...process.env, DISPLAY: `:${String(display).trim()}`, XAUTHORITY: authority };
    for (const [program, ...args] of PROGRAMS)
      spawn(program, args, { env, stdio: 'ignore' }).on('error', () => {});
    return { socketPath, close, env };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One MIT-MAGIC-COOKIE-1 for whichever display: what `xauth` writes, without a number. */
function xauthority(cookie) {
  const field = (bytes) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  const anyHost = Buffer.from([0xff, 0xff, 0, 0]);
  const anyNumber = field(Buffer.alloc(0));
  return Buffer.concat([anyHost, anyNumber, field(Buffer.from('MIT-MAGIC-COOKIE-1')), field(cookie)]);
}
