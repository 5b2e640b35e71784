import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';
import { limit, ours, peer, Rival } from './rival.js';

const list = (name, all) => process.env[name]?.split(',') ?? all;
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SIZES = list('SIZES', [150, 1000, 5000, 10_000]).map(Number);

const RIVALS = {
  reqcast: ours,
  C: limit,
  net: peer('net', 'none'),
  'ws loop': peer('ws', 'ws'),
  'socket.io': peer('socketio', 'socketio'),
  uWebSockets: peer('uws', 'ws'),
};
const chosen = list('RIVALS', Object.keys(RIVALS));

const TARGETS = {
  1: [
    { of: 'ws loop', most: 0.8 },
    { of: 'socket.io', most: 0.65 },
    { of: 'C', most: 1.3 },
  ],
  100: [
    { of: 'ws loop', most: 1 / 80 },
    { of: 'socket.io', most: 1 / 80 },
    { of: 'uWebSockets', most: 0.4 },
    { of: 'C', most: 1.5 },
  ],
};
const bursts = list('BURSTS', Object.keys(TARGETS)).map(Number);

/**
 * Who writes each notification by itself takes a quarter of a minute for a hundred of them to 10,000 subscribers, and as
 * much for each as if they were fewer: a burst of theirs has no more deliveries than this.
 */
const ONE_BY_ONE = ['ws loop', 'socket.io'];
const MOST_DELIVERIES = 200_000;
const burstOf = (name, burst, n) =>
  ONE_BY_ONE.includes(name) ? Math.min(burst, Math.ceil(MOST_DELIVERIES / n)) : burst;

/** Long enough for the CPU clock, short enough to take turns. */
const MEASURE_MS = 200;
/** A server that has been up for a while has compiled what it does. */
const WARM_UP_MS = 500;

const figures = [];
for (const n of SIZES) {
  const rivals = chosen.map((name) => new Rival(name, { ...RIVALS[name], n }));
  for (const rival of rivals) await rival.open();
  for (const burst of bursts) {
    const figure = new Figure({
      title: `N=${n}, ${burst} at a time`,
      panel: `${burst} at a time`,
      unit: 'µs of CPU for each delivery',
      better: 'less',
      at: { N: n, burst },
      targets: TARGETS[burst],
    });
    figures.push(figure);
    const measure = (rival, ms) => rival.measure(burstOf(rival.name, burst, n), ms);
    for (const rival of rivals) await measure(rival, WARM_UP_MS);
    for (let round = 0; round < ROUNDS; round++)
      for (const rival of rivals) figure.add(rival.name, await measure(rival, MEASURE_MS));
  }
  for (const rival of rivals) rival.end();
}
report('fanout', figures);
process.exit();
