import { report } from '../support/report.js';
import { latency } from './latency.js';
import { memory } from './memory.js';
import { storm } from './storm.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const PARTS = { latency, storm, memory };
const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);

for (const name of chosen) report(`connections-${name}`, await PARTS[name](ROUNDS));
process.exit();
