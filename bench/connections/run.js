import { report } from '../support/report.js';
import { latency } from './latency.js';
import { memory } from './memory.js';
import { storm } from './storm.js';
import { window } from './window.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const PARTS = { memory, window, storm, latency };
const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);

const figures = [];
for (const name of chosen) figures.push(...(await PARTS[name](ROUNDS)));
report('connections', figures);
process.exit();
