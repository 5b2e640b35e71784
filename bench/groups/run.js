// What it costs that subscribers differ: 5,000 of them in ever more groups of patterns and audiences, all of which see
// what is published.

import { peer, Rival } from '../fanout/rival.js';
import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const N = 5000;
const GROUPS = [1, 10, 100, 1000, N];
const BURSTS = [1, 100];

const rivals = GROUPS.map((groups) => new Rival(`${groups} groups`, { ...peer('reqcast'), n: N, groups }));
for (const rival of rivals) await rival.open();
const figures = [];
for (const burst of BURSTS) {
  const figure = new Figure({
    title: `${N} subscribers, ${burst} at a time`,
    unit: 'µs of CPU for each delivery',
    better: 'less',
    ours: '1 groups',
    at: { burst },
    // One group over many: the other way round, 1.25 and 2.
    targets: [
      { of: '100 groups', least: 0.8 },
      { of: `${N} groups`, least: 0.5 },
    ],
  });
  figures.push(figure);
  for (let round = -1; round < ROUNDS; round++)
    for (const rival of rivals) {
      const cost = await rival.measure(burst, 6);
      if (round >= 0) figure.add(rival.name, cost);
    }
}
for (const rival of rivals) rival.end();
report('groups', figures);
process.exit();
