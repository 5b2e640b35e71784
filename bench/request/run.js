// What looking on costs the host app: its requests in a second, with nobody who looks on, with us and with two request
// loggers. A server has one core, those who ask it have the other, and the server's is the one that is busy.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Figure, median } from '../support/figure.js';
import { report } from '../support/report.js';
import { Rival } from './rival.js';

const ROUNDS = Number(process.env.ROUNDS ?? 11);
const SLICE_MS = Number(process.env.SLICE_MS ?? 400);
/** Until the code is compiled and the memory journal is full. */
const WARM_MS = 1000;
/** A server that is less busy was not what was measured. */
const LEAST_BUSY = 0.95;

const SCENES = {
  memory: {
    title: 'POST, logged in memory and announced',
    method: 'POST',
    ours: 'memory',
    floors: ['least'],
  },
  subscriber: { title: 'the same, with one subscriber', method: 'POST', ours: 'memory', subscriber: true },
  file: {
    title: 'POST, logged to a file, ours announced too',
    method: 'POST',
    ours: 'file',
    floors: ['least-file'],
    peers: ['pino-http', 'morgan'],
  },
  get: { title: 'GET, which is not logged', method: 'GET', ours: 'memory' },
};
const chosen = process.env.SCENES?.split(',') ?? Object.keys(SCENES);

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

const figures = [];
for (const name of chosen) {
  const { title, method, ours, subscriber, floors = [], peers = [] } = SCENES[name];
  const rivals = ['bare', ours, ...floors, ...peers].map(
    (peer) => new Rival(peer, { file: join(folder, peer), method, subscriber: subscriber && peer === ours }),
  );
  const figure = (unit, better, targets) =>
    new Figure({ title, unit, better, ours, at: { scene: name }, targets });
  const rates = figure('requests a second', 'more', [
    { of: 'bare', least: ours === 'file' ? 0.9 : 0.97 },
    ...peers.map((peer) => ({ of: peer, least: 1 })),
  ]);
  const costs = figure('µs of CPU for each', 'less');
  const waits = figure('ms, 99th percentile', 'less');
  figures.push(rates, costs, waits);
  for (const rival of rivals) await rival.open();
  for (const rival of rivals) await rival.measure(WARM_MS);
  const busy = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Whoever is measured right after another one takes turns too.
    for (const rival of round % 2 ? rivals.toReversed() : rivals) {
      const { requests, ms, cpu, p99 } = await rival.measure(SLICE_MS);
      rates.add(rival.name, (requests * 1000) / ms);
      costs.add(rival.name, cpu / requests);
      waits.add(rival.name, p99);
      busy.push(cpu / 1000 / ms);
    }
  }
  for (const rival of rivals) rival.end();
  const share = median(busy);
  if (share < LEAST_BUSY)
    console.log(`${title}: the server's core was busy for ${share.toFixed(2)} of the time only`);
}
report('request', figures);
process.exit();
