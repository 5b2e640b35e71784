// What it costs that subscribers differ: 5,000 of them in ever more groups of patterns and audiences, all of which see
// what is published.

import { ours, Rival } from '../fanout/rival.js';
import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const N = 5000;
const GROUPS = [1, 10, 100, 1000, N];
const BURSTS = [1, 100];
/** What many groups cost beside one. */
const TARGETS = { 100: 1.25, [N]: 2 };
const ONE = 'all in one group';
const MEASURE_MS = 500;

const rivals = GROUPS.map((groups) => new Rival(`${groups} groups`, { ...ours, n: N, groups }));
for (const rival of rivals) await rival.open();
const figures = BURSTS.flatMap((burst) =>
  GROUPS.map(
    (groups) =>
      new Figure({
        title: `In ${groups} groups, of ${N} subscribers: ${burst} at a time`,
        panel: `${N} subscribers, ${burst} at a time`,
        unit: 'µs of CPU for each delivery',
        better: 'less',
        at: { groups, burst },
        targets: groups in TARGETS ? [{ of: ONE, most: TARGETS[groups] }] : [],
      }),
  ),
);
for (const burst of BURSTS)
  for (let round = -1; round < ROUNDS; round++) {
    const costs = [];
    for (const rival of rivals) costs.push(await rival.measure(burst, MEASURE_MS));
    // The first round warms up.
    if (round < 0) continue;
    for (const figure of figures.filter(({ at }) => at.burst === burst)) {
      figure.add('reqcast', costs[GROUPS.indexOf(figure.at.groups)]);
      figure.add(ONE, costs[0]);
    }
  }
for (const rival of rivals) rival.end();
report('groups', figures);
process.exit();
