import { Figure } from '../support/figure.js';
import { Rival } from './rival.js';

const SUBSCRIBERS = 10_000;
const ENTRIES = 1000;
const OURS = `${SUBSCRIBERS} subscribers`;

/** What the window's entries take while many stand at a position in it, and while one does. */
export async function window(rounds) {
  const figure = new Figure({
    title: 'an entry in the window',
    unit: 'bytes of heap',
    better: 'less',
    ours: OURS,
  });
  for (let round = 0; round < rounds; round++) {
    figure.add(OURS, await measure(SUBSCRIBERS));
    figure.add('1 subscriber', await measure(1));
  }
  return [figure];
}

async function measure(subscribers) {
  const rival = new Rival('reqcast');
  try {
    await rival.start();
    await rival.connect(subscribers);
    const heap = async () => Number((await rival.ask('memory')).split(' ')[1]);
    const send = async (entries) => {
      await rival.ask(`publish ${entries}`);
      await rival.received(entries * subscribers);
    };
    await send(1);
    const before = await heap();
    await send(ENTRIES);
    return ((await heap()) - before) / ENTRIES;
  } finally {
    rival.end();
  }
}
