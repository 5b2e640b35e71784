import { report } from '../support/report.js';
import { latency } from './latency.js';
import { memory } from './memory.js';
import { storm } from './storm.js';
import { window } from './window.js';

/** With so many rounds each, all of it takes two and a half minutes. */
const PARTS = { memory: [memory, 2], window: [window, 1], storm: [storm, 5], latency: [latency, 5] };
const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);

const figures = [];
for (const name of chosen) {
  const [measure, rounds] = PARTS[name];
  figures.push(...(await measure(Number(process.env.ROUNDS ?? rounds))));
}
report('connections', figures);
process.exit();
