import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compile } from '../support/compile.js';
import { Figure } from '../support/figure.js';
import { Program } from '../support/program.js';
import { report } from '../support/report.js';
import { ENDS_CORE, freePort, Rival } from './rival.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const BYTES = Number(process.env.MEGABYTES ?? 128) * 1e6;
/** For what shows only after a while. */
const LONG_BYTES = 4 * BYTES;
const CONNECTIONS = (process.env.CONNECTIONS ?? '1,16').split(',').map(Number);
const TRIPS = 2000;
/** The base64 wire is a rival of the binary one: at least 0.75 of it. */
const SPEEDS = [
  { of: 'websockify', least: 1.8 },
  { of: 'reqcast base64', most: 1 / 0.75 },
];
const WAYS = { take: 'to the client', give: 'to the target' };
/** What is measured: of the parts, those that are named. */
const PARTS = ['take', 'give', 'trips', 'memory'];
const named = process.argv.length > 2 ? process.argv.slice(2) : PARTS;
const unknown = named.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}: there are ${PARTS.join(', ')}`);
const ways = Object.entries(WAYS).filter(([way]) => named.includes(way));

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const ends = new Program(ENDS_CORE, compile(here('ends.c')));
const target = (await ends.next()).split(' ')[1];

const node = (kind) => [process.execPath, here('host.js'), kind, target];
const port = await freePort();
const RIVALS = {
  reqcast: { command: node('reqcast') },
  'reqcast base64': { command: node('reqcast'), wire: 'base64' },
  'C relay': { command: [compile(here('limit.c')), target] },
  '30 lines of ws': { command: node('ws-pipe') },
  'bare net pipe': { command: node('net-pipe'), wire: 'none' },
  websockify: {
    command: ['sh', '-c', `exec websockify 127.0.0.1:${port} 127.0.0.1:${target} >/dev/null 2>&1`],
    port,
  },
};
const chosen = process.env.RIVALS?.split(',') ?? Object.keys(RIVALS);
if (spawnSync('which', ['websockify']).status !== 0) {
  console.log('websockify is missing: apt-get install websockify');
  if (chosen.includes('websockify')) chosen.splice(chosen.indexOf('websockify'), 1);
}
const rivals = chosen.map((name) => new Rival(name, { ...RIVALS[name], ends }));
process.on('exit', () => {
  for (const program of [...rivals, ends]) program.end();
});
for (const rival of rivals) await rival.open();

const figures = [];
const add = (about) => {
  const figure = new Figure(about);
  figures.push(figure);
  return figure;
};

async function rounds(measure) {
  for (let round = 0; round < ROUNDS; round++) for (const rival of rivals) await measure(rival);
}

async function speeds(way, title, connections) {
  const at = { connections };
  const about = { title: `${title}, connections: ${connections}`, at };
  const speeds = add({ ...about, unit: 'MB/s', better: 'more', targets: SPEEDS });
  const costs = add({ ...about, unit: 'µs of CPU for each MB', better: 'less' });
  await rounds(async (rival) => {
    const { speed, cost } = await rival.carry(way, connections, BYTES);
    speeds.add(rival.name, speed);
    costs.add(rival.name, cost);
  });
}

async function trips() {
  const [half, most] = ['p50', 'p99'].map((quantile) =>
    add({
      title: `round trip, ${quantile}`,
      unit: 'µs',
      better: 'less',
      targets: quantile === 'p50' ? [{ of: 'C relay', most: 1.15 }] : [],
    }),
  );
  const work = add({ title: 'round trip', unit: 'µs of CPU', better: 'less' });
  await rounds(async (rival) => {
    const { p50, p99, cost } = await rival.roundTrip(TRIPS);
    half.add(rival.name, p50);
    most.add(rival.name, p99);
    work.add(rival.name, cost);
  });
}

async function memory() {
  const about = { unit: 'MB of memory', better: 'less' };
  // websockify reads on for clients that do not, and takes gigabytes for them.
  const stalled = add({ ...about, title: '16 clients that do not read', none: 'no bound' });
  for (const rival of rivals)
    stalled.add(rival.name, rival.name === 'websockify' ? null : await rival.stalled(16));
  for (const [way, title] of Object.entries(WAYS)) {
    const [early, late] = [1, 2].map((times) =>
      add({ ...about, title: `after ${(times * LONG_BYTES) / 1e6} MB ${title}` }),
    );
    for (const rival of rivals) {
      const [first, last] = await rival.memory(way, LONG_BYTES);
      early.add(rival.name, first);
      late.add(rival.name, last);
    }
  }
}

// A compiler at run time needs some thousand reads until it has done its work.
for (const [way] of ways) for (const rival of rivals) await rival.carry(way, 1, LONG_BYTES);
if (named.includes('trips')) for (const rival of rivals) await rival.roundTrip(TRIPS);

for (const [way, title] of ways) for (const connections of CONNECTIONS) await speeds(way, title, connections);
if (named.includes('trips')) await trips();
if (named.includes('memory')) await memory();
report('tunnel', figures);
process.exit();
