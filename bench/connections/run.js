import { report } from '../support/report.js';
import { latency } from './latency.js';
import { memory } from './memory.js';
import { storm } from './storm.js';
import { window } from './window.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const PARTS = { memory, window, storm, latency };
const [name = 'storm'] = process.argv.slice(2);

report(name, await PARTS[name](ROUNDS));
process.exit();
