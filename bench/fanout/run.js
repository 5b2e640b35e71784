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
      unit: 'µs of CPU for each delivery',
      better: 'less',
      at: { N: n, burst },
      targets: TARGETS[burst],
    });
    figures.push(figure);
    // Of a whole burst to many, one alone can take a quarter of a minute.
    for (const rival of rivals) await rival.measure(Math.ceil(burst / 10), WARM_UP_MS);
    for (let round = 0; round < ROUNDS; round++)
      for (const rival of rivals) figure.add(rival.name, await rival.measure(burst, MEASURE_MS));
  }
  for (const rival of rivals) rival.end();
}
report('fanout', figures);
process.exit();
