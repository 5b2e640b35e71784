// Appends bursts and says how long the event loop was kept: node append.js <journal | stream> <file> <in one tick> <bursts>
import { createWriteStream } from 'node:fs';
import { fileJournal } from '../../dist/index.js';
import { draft } from './requests.js';

const [, , rival, path, perTick, bursts] = process.argv;
const BURST = 20_000;
/** Until the compiler has seen the code often enough. */
const WARM_UP = 3;

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function openJournal() {
  const journal = fileJournal({ path });
  const fault = (error) => {
    throw error;
  };
  await journal.open({ reset() {}, deliver() {}, fault }, 0);
  return {
    append: (entry) => journal.append(entry),
    flush: () => journal.flush(),
    close: () => journal.close(),
  };
}

/** What a line costs that is only made and written. */
async function openStream() {
  const stream = createWriteStream(path);
  return {
    append: (entry) => stream.write(`${JSON.stringify(entry)}\n`),
    flush: () => new Promise((resolve) => stream.write('', resolve)),
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

const models = Array.from({ length: 1_000 }, (_, n) => draft(n));
/** As a server makes them: when there is something to log, and not long before. */
const next = (n) => {
  const { request, ...rest } = models[n % models.length];
  return { ...rest, time: Date.now(), request: { ...request, durationMs: n / 100 } };
};

/** Appends all, so many in each turn, and takes turns until they are written. The rest of a turn is not the caller's. */
async function burst(log) {
  const size = Number(perTick);
  let own = 0;
  let rest = 0;
  const began = performance.now();
  let turned = began;
  let written = false;
  for (let i = 0; !written; i += size) {
    const start = performance.now();
    rest = Math.max(rest, start - turned);
    for (let n = i; n < Math.min(i + size, BURST); n++) log.append(next(n));
    if (i < BURST && i + size >= BURST) log.flush().then(() => (written = true));
    turned = performance.now();
    own = Math.max(own, turned - start);
    await turn();
  }
  const seconds = (performance.now() - began) / 1000;
  return { rate: BURST / seconds, own, rest };
}

const log = await (rival === 'journal' ? openJournal() : openStream());
const results = [];
for (let i = 0; i < WARM_UP + Number(bursts); i++) {
  results.push(await burst(log));
  for (let turns = 0; turns < 50; turns++) await turn();
}
await log.close();
console.log(JSON.stringify(results.slice(WARM_UP)));
