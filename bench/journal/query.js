// Asks a journal's file and says what that took: node query.js <file> <query as JSON>
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileJournal } from '../../dist/index.js';

const [, , path, query] = process.argv;

const bytesRead = () => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))[1]);

// A journal can be asked without having been opened.
const journal = fileJournal({ path });
// Before the first figure: what only the first read and the first delay cost.
bytesRead();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await new Promise((resolve) => setTimeout(resolve, 20));
delay.reset();

const before = bytesRead();
const began = performance.now();
let count = 0;
for await (const _ of journal.query(JSON.parse(query))) count++;
const seconds = (performance.now() - began) / 1000;
const bytes = bytesRead() - before;
await new Promise((resolve) => setTimeout(resolve, 5));
delay.disable();
const { maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ count, seconds, bytes, blockMs: delay.max / 1e6, rssMegabytes: maxRSS / 1024 }));
