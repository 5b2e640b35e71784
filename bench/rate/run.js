// How the cost of telling somebody changes with how often there is something to tell.

import { peer, Rival } from '../fanout/rival.js';
import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const N = 1000;
const RATES = [10, 100, 1000, 5000];
const MEASURE_MS = 1000;

const PEERS = { reqcast: peer('reqcast'), 'ws loop': peer('ws'), 'socket.io': peer('socketio') };
const rivals = Object.entries(PEERS).map(([name, each]) => new Rival(name, { ...each, n: N }));
for (const rival of rivals) await rival.open();

const figures = [];
for (const rate of RATES) {
  const about = (title, panel, unit, better) => new Figure({ title, panel, unit, better, at: { rate } });
  const at = `N=${N}, ${rate} notifications a second`;
  const cost = about(at, `Telling ${N} subscribers`, 'µs of CPU for each delivery', 'less');
  const kept = about(`${at}, published in time`, 'Published in time', '% of those due', 'more');
  for (let round = -1; round < ROUNDS; round++)
    for (const rival of rivals) {
      const found = await rival.measureAt(rate, MEASURE_MS);
      // The first round warms up.
      if (round < 0) continue;
      cost.add(rival.name, found.cost);
      kept.add(rival.name, found.kept * 100);
    }
  figures.push(cost, kept);
}
for (const rival of rivals) rival.end();
report('rate', figures);
process.exit();
