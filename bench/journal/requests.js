import { closeSync, openSync, writeSync } from 'node:fs';

const USERS = ['root', 'anna', 'bela', 'carla', 'david', 'elif', 'frank', 'grace'];
const APPS = ['ginger', 'kimchi', 'gingerbase', 'wok'];
const ENTITIES = ['users', 'vms', 'networks', 'storagepools', 'templates', 'firmware'];
const STATUSES = [500, ...Array(2).fill(404), ...Array(5).fill(400), ...Array(42).fill(200)];

const hex = (n, length) => n.toString(16).padStart(length, '0').slice(-length);
/** The same for each run, without a pattern that a branch predictor could learn. */
const mixed = (n) => (Math.imul(n ^ (n >>> 15), 0x2c1b3c6d) ^ Math.imul(n, 0x297a2d39)) >>> 4;
const idOf = (n, run) =>
  `${hex(run, 8)}-${hex(mixed(n), 4)}-4${hex(n, 3)}-8${hex(n * 7, 3)}-${hex(mixed(n + 9) * 4096 + n, 12)}`;

/** What a server that logs requests appends. Of each hundred one begins a task, and one is the end of that. */
export function draft(n, run = 0) {
  const random = mixed(n % 100 === 60 ? n - 50 : n);
  const app = APPS[random % 4];
  const path = `/${app}/${ENTITIES[(random >> 3) % 6]}`;
  const begins = n % 100 === 10;
  const ends = n % 100 === 60;
  const method = ends ? 'TASK' : 'POST';
  const status = begins ? 202 : STATUSES[(random >> 7) % STATUSES.length];
  const request = {
    id: idOf(n, run),
    method,
    url: `/plugins${path}/${hex(random, 6)}/start?force=true`,
    topic: `${method}:${path}/start`,
    status,
    outcome: status === 500 ? 'failed' : 'completed',
    durationMs: (random % 100_000) / 1000,
    user: USERS[(random >> 11) % 8],
    address: `192.0.2.${random % 250}`,
    app,
    message: `Start ${hex(random, 6)} of ${path}`,
    ...(ends && { task: idOf(n - 50, run) }),
  };
  return { time: 1_790_000_000_000 + n, ...(status < 400 && { topic: request.topic }), request };
}

/** A block of the history, of which only the offsets and the beginning of each id change from one to the next. */
const BLOCK_LINES = 3_000;
const FIRST_OFFSET = 10_000_000;

/** Writes a journal's file of about so many bytes, as `fileJournal` would have, and as fast as the disk. */
export function writeHistory(path, bytes) {
  const line = (n) => `${JSON.stringify({ epoch: 'benchbench', offset: FIRST_OFFSET + n, ...draft(n) })}\n`;
  const block = Buffer.from(Array.from({ length: BLOCK_LINES }, (_, n) => line(n)).join(''));
  const offsets = [];
  for (let at = block.indexOf('"offset":'); at >= 0; at = block.indexOf('"offset":', at + 1))
    offsets.push(at + '"offset":'.length);
  const ids = [];
  for (let at = block.indexOf('"00000000-'); at >= 0; at = block.indexOf('"00000000-', at + 1))
    ids.push(at + 1);
  const file = openSync(path, 'w', 0o600);
  let run = 0;
  for (let left = bytes; left > 0; left -= block.length, run++) {
    for (const [n, at] of offsets.entries())
      block.latin1Write(String(FIRST_OFFSET + run * BLOCK_LINES + n), at, 8);
    for (const at of ids) block.latin1Write(hex(run, 8), at, 8);
    writeSync(file, block);
  }
  closeSync(file);
}
