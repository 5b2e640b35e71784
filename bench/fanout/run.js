import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';
import { limit, peer, Rival } from './rival.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SIZES = (process.env.SIZES ?? '150,1000,5000,10000').split(',').map(Number);
/** About so many deliveries make a round: long enough for the CPU clock, short enough to take turns. */
const DELIVERIES = { 1: 40_000, 100: 300_000 };

const RIVALS = {
  reqcast: peer('reqcast'),
  'C send() each': limit('loop'),
  'C coalesced': limit('coalesced'),
  'net write each': peer('net', 'none'),
  'ws loop': peer('ws', 'ws'),
  'socket.io': peer('socketio', 'socketio'),
  uWebSockets: peer('uws', 'ws'),
};
const TARGETS = {
  1: [
    { of: 'ws loop', most: 0.8 },
    { of: 'socket.io', most: 0.65 },
    { of: 'C send() each', most: 1.3 },
  ],
  100: [
    { of: 'ws loop', most: 1 / 80 },
    { of: 'socket.io', most: 1 / 80 },
    { of: 'uWebSockets', most: 0.4 },
    { of: 'C coalesced', most: 1.5 },
  ],
};
const chosen = process.env.RIVALS?.split(',') ?? Object.keys(RIVALS);

const figures = [];
for (const n of SIZES) {
  const rivals = chosen.map((name) => new Rival(name, { ...RIVALS[name], n }));
  for (const rival of rivals) await rival.open();
  for (const [burst, deliveries] of Object.entries(DELIVERIES)) {
    const times = Math.max(burst === '1' ? 3 : 1, Math.ceil(deliveries / (Number(burst) * n)));
    const figure = new Figure({
      title: `N=${n}, ${burst} at a time`,
      unit: 'µs of CPU for each delivery',
      better: 'less',
      at: { N: n, burst: Number(burst) },
      targets: TARGETS[burst],
    });
    figures.push(figure);
    const measure = async (rival) => {
      for (const each of rivals) await each.stayAlive();
      return rival.measure(Number(burst), times);
    };
    for (const rival of rivals) await measure(rival);
    for (let round = 0; round < ROUNDS; round++)
      for (const rival of rivals) figure.add(rival.name, await measure(rival));
  }
  for (const rival of rivals) rival.end();
}
report('fanout', figures);
process.exit();
