/** What one Redis carries: its CPU and its memory for an entry, by the rate and by the number of nodes that read. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisJournal } from '../../dist/redis.js';
import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';
import { redisServer } from './engine.js';

const { Redis } = createRequire(import.meta.url)('ioredis');
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const NODES = [1, 3, 10];
const RATES = [100, 1000, 5000];
const MEASURE_MS = 1500;

/** As a request of an app with routes leaves it. */
const record = (n) => ({
  time: Date.now(),
  topic: 'POST:/ginger/users',
  request: {
    id: `k3J9sLq${n}`,
    method: 'POST',
    url: `/plugins/ginger/users?n=${n}`,
    message: 'POST /plugins/ginger/users',
    topic: 'POST:/ginger/users',
    user: 'root',
    ip: '192.0.2.17',
    status: 201,
    durationMs: 12.7,
  },
});
const size = JSON.stringify({ ...record(1), node: 'web-1:4242' }).length;

const directory = mkdtempSync(join(tmpdir(), 'reqcast-bench-'));
const redis = await redisServer(directory, 'evalsha');
const asking = new Redis(redis.at);

/** Each writes its share of the rate, and all read all. */
async function measure(count, rate, figure) {
  await asking.flushall();
  let heard = 0;
  const sink = {
    reset() {},
    deliver: (entries) => {
      heard += entries.length;
    },
    fault: (error) => {
      throw error;
    },
  };
  const journals = Array.from({ length: count }, () =>
    redisJournal({ client: asking, maxEntries: 1_000_000 }),
  );
  for (const journal of journals) await journal.open(sink, 0);
  const before = await redis.counts();
  const since = performance.now();
  const all = (rate * MEASURE_MS) / 1000;
  for (let sent = 0; sent < all; ) {
    const due = Math.min(all, Math.ceil(((performance.now() - since) * rate) / 1000));
    for (; sent < due; sent++) journals[sent % count].append(record(sent));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (heard < all * count) await new Promise((resolve) => setTimeout(resolve, 1));
  const after = await redis.counts();
  for (const journal of journals) await journal.close();
  const name = `${rate} a second`;
  figure.cpu.add(name, (after.cpu - before.cpu) / all);
  figure.reads.add(name, (after.reads - before.reads) / all / count);
  return (await asking.call('memory', 'usage', '{reqcast}:entries', 'samples', 0)) / all;
}

const figures = NODES.map((nodes) => {
  const figure = (what, unit) =>
    new Figure({
      title: `${what}, ${nodes} nodes that write and read`,
      unit,
      better: 'less',
      ours: '1000 a second',
      at: { nodes },
    });
  return {
    cpu: figure("Redis's CPU for an entry", 'µs'),
    reads: figure('reads of each node for an entry', 'commands'),
  };
});
const memory = new Figure({
  title: `Redis's memory for an entry of ${size} characters`,
  unit: 'bytes',
  better: 'less',
  ours: 'an entry',
});
try {
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, count] of NODES.entries())
      for (const rate of RATES) memory.add('an entry', await measure(count, rate, figures[i]));
  report('carry', [...figures.flatMap(Object.values), memory]);
} finally {
  asking.disconnect();
  redis.end();
  rmSync(directory, { recursive: true, force: true });
}
process.exit();
