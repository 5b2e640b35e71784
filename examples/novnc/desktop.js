// Xvnc: a display of its own, which listens on a UNIX socket and on no port, and a few programs on it.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const INSTALL =
  'apt-get install tigervnc-standalone-server x11-xserver-utils x11-apps xterm jwm fonts-dejavu-core';

const words = (text) => text.split(' ');

const XVNC = words(
  '-rfbunixmode 0600 -rfbport -1 -SecurityTypes None -geometry 1024x640 -desktop desktop -displayfd 3',
);

/** What is on the display. A program that is not installed is not there, and the rest is. */
const PROGRAMS = [
  words('xsetroot -solid #24304a'),
  ['jwm', '-f', fileURLToPath(new URL('desktop.jwmrc', import.meta.url))],
  words('xclock -title Clock -geometry 180x180+792+48 -update 1'),
  words('xeyes -title Eyes -geometry 180x130+792+312'),
  words('xterm -T Terminal -geometry 76x24+52+48 -fa monospace -fs 11 -bg #0d1016 -fg #e9ecf2 -b 8 -e sh'),
];

/** Starts the display. `socketPath` is where VNC is spoken; only this user may open it. */
export async function startDesktop() {
  const directory = await mkdtemp(join(tmpdir(), 'reqcast-desktop-'));
  const socketPath = join(directory, 'vnc.sock');
  const authority = join(directory, 'Xauthority');
  await writeFile(authority, xauthority(randomBytes(16)), { mode: 0o600 });
  const xvnc = spawn('Xvnc', [...XVNC, '-rfbunixpath', socketPath, '-auth', authority], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => xvnc.once('error', resolve).once('exit', resolve));
  const kill = () => xvnc.kill();
  // The server may end by a fault: nobody could reach the display any more.
  process.once('exit', kill);
  const close = async () => {
    process.off('exit', kill);
    kill();
    await ended;
    await rm(directory, { recursive: true });
  };

  const display = await Promise.race([once(xvnc.stdio[3], 'data'), ended.then(() => undefined)]);
  if (!display) {
    await close();
    throw new Error(`Xvnc does not run. Is it there? ${INSTALL}`);
  }
  const env = { ...process.env, DISPLAY: `:${display}`.trim(), XAUTHORITY: authority, PS1: 'desktop $ ' };
  for (const [program, ...flags] of PROGRAMS)
    spawn(program, flags, { env, cwd: homedir(), stdio: 'ignore' }).on('error', () => {});
  return { socketPath, close };
}

/** The file that keeps the machine's other users from the display: one cookie, whatever the display's number. */
function xauthority(cookie) {
  const field = (bytes) => Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
  const [anyHost, anyDisplay] = [Buffer.from([0xff, 0xff, 0, 0]), Buffer.alloc(0)];
  return Buffer.concat([anyHost, field(anyDisplay), field(Buffer.from('MIT-MAGIC-COOKIE-1')), field(cookie)]);
}
