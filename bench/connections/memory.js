import { Figure } from '../support/figure.js';
import { Rival } from './rival.js';

const SIZES = (process.env.SIZES ?? '10000').split(',').map(Number);
/** What is loaded and compiled when the first ones come is not theirs. */
const FIRST = 300;

const MOMENTS = ['connected', 'after a notification to each'];
const KINDS = ['resident', 'heap'];

/** What an idle connection costs. Each value is of a new process, for one that has grown stays large. */
export async function memory(rounds) {
  const names = ['reqcast', 'reqcast, authorizing', 'ws'];
  const figures = [];
  for (const n of SIZES) {
    const made = MOMENTS.map((moment) =>
      KINDS.map(
        (kind) =>
          new Figure({
            title: `${n} ${moment}: ${kind} memory`,
            unit: 'bytes a connection',
            better: 'less',
            at: { N: n },
          }),
      ),
    );
    figures.push(...made.flat());
    for (let round = 0; round < rounds; round++)
      for (const name of names)
        for (const [moment, costs] of (await measure(name, n)).entries())
          for (const [kind, cost] of costs.entries()) made[moment][kind].add(name, cost);
  }
  return figures;
}

async function measure(name, n) {
  const rival = new Rival(name);
  try {
    await rival.start();
    await rival.connect(FIRST);
    await rival.disconnect();
    const bytes = async () => (await rival.ask('memory')).split(' ').map(Number);
    const before = await bytes();
    const costs = (now) => now.map((value, kind) => (value - before[kind]) / n);
    await rival.connect(n);
    const connected = costs(await bytes());
    await rival.ask('publish 1');
    await rival.received(n);
    return [connected, costs(await bytes())];
  } finally {
    rival.end();
  }
}
