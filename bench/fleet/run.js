/** From publishing on one node to receipt on another, the CPU of both, and what Redis is asked to do for it. */
import { spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';

const require = createRequire(import.meta.url);
const { setupPrimary } = require('@socket.io/cluster-adapter');
const { io } = require('socket.io-client');
const { Redis } = require('ioredis');

const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** At the first each is alone; one a second would take as long and find the same. */
const RATES = [20, 1000];
const MEASURE_MS = 1000;
const RIVALS = {
  host: 'reqcast, host',
  redis: 'reqcast, redis',
  streams: 'socket.io, redis streams',
  cluster: 'socket.io, cluster',
};

const directory = mkdtempSync(join(tmpdir(), 'reqcast-bench-'));
const socket = join(directory, 'redis');
const redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', ''], {
  stdio: 'ignore',
});
const asking = new Redis(socket, { retryStrategy: () => 50 }).on('error', () => {});
await asking.ping();

cluster.setupPrimary({ exec: fileURLToPath(new URL('node.js', import.meta.url)), serialization: 'advanced' });
setupPrimary();

async function node(KIND) {
  const AT = KIND === 'host' ? join(directory, 'host') : socket;
  const worker = cluster.fork({ KIND, AT });
  const answer = (name) =>
    new Promise((resolve) => {
      const hear = (message) => {
        if (message?.[name] === undefined) return;
        worker.off('message', hear);
        resolve(message[name]);
      };
      worker.on('message', hear);
    });
  const port = await answer('port');
  return {
    port,
    mark: () => worker.send({ ask: 'mark' }),
    publish: (load) => {
      worker.send({ ask: 'publish', ...load });
      return answer('sent');
    },
    cpu: () => {
      worker.send({ ask: 'cpu' });
      return answer('cpu');
    },
    end: async () => {
      worker.process.kill();
      await once(worker, 'exit');
    },
  };
}

const now = () => Number(process.hrtime.bigint() / 1000n);

/** Calls `heard` with the microseconds that each notification took. */
async function subscribe(kind, port, heard) {
  if (kind === 'streams' || kind === 'cluster') {
    const client = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] });
    client.on('POST:/ginger/users', ({ at }) => heard(now() - at));
    await once(client, 'connect');
    return () => client.close();
  }
  const ws = new WebSocket(`ws://127.0.0.1:${port}/websockify`, 'reqcast.v1');
  ws.once('open', () => ws.send('since -\n+*:/**'));
  await once(ws, 'message');
  ws.on('message', (text) => {
    const at = now();
    for (const [, said] of String(text).matchAll(/"at":(\d+)/g)) heard(at - Number(said));
  });
  return () => ws.terminate();
}

/** How often each command was called from outside a script. */
async function calls() {
  const lines = (await asking.info('commandstats')).matchAll(/cmdstat_(\w+):calls=(\d+)/g);
  return Object.fromEntries([...lines].map(([, name, count]) => [name, Number(count)]));
}

const figures = RATES.map((rate) => {
  const at = { rate };
  const title = `${rate} a second`;
  const about = { better: 'less', ours: RIVALS.redis, at };
  return {
    p50: new Figure({ title: `publish on A to receipt on B, p50, ${title}`, unit: 'ms', ...about }),
    p99: new Figure({ title: `publish on A to receipt on B, p99, ${title}`, unit: 'ms', ...about }),
    cpu: new Figure({ title: `CPU of both nodes a notification, ${title}`, unit: 'µs', ...about }),
    writes: new Figure({ title: `writes to Redis a notification, ${title}`, unit: 'commands', ...about }),
    reads: new Figure({ title: `reads of each node a notification, ${title}`, unit: 'commands', ...about }),
  };
});

async function measure(kind) {
  const [a, b] = [await node(kind), await node(kind)];
  const took = [];
  const leave = await subscribe(kind, b.port, (us) => took.push(us / 1000));
  // Warm, and the adapters have met.
  const warm = await a.publish({ rate: 1000, ms: 1000 });
  while (took.length < warm / 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const [i, rate] of RATES.entries()) await measureAt(rate, { kind, a, b, took, figure: figures[i] });
  leave();
  await Promise.all([a.end(), b.end()]);
}

async function measureAt(rate, { kind, a, b, took, figure }) {
  took.length = 0;
  const before = await calls();
  for (const each of [a, b]) each.mark();
  const sent = await a.publish({ rate, ms: MEASURE_MS });
  while (took.length < sent) await new Promise((resolve) => setTimeout(resolve, 5));
  const cpu = (await a.cpu()) + (await b.cpu());
  const after = await calls();
  const called = (name) => ((after[name] ?? 0) - (before[name] ?? 0)) / sent;
  took.sort((x, y) => x - y);
  const name = RIVALS[kind];
  figure.p50.add(name, took[took.length >> 1]);
  figure.p99.add(name, took[Math.floor(took.length * 0.99)]);
  figure.cpu.add(name, cpu / sent);
  if (kind !== 'redis' && kind !== 'streams') return;
  // What a script adds to the stream belongs to its one command; each node's look at its history, once a second, is one too.
  figure.writes.add(name, called(kind === 'redis' ? 'evalsha' : 'xadd'));
  figure.reads.add(name, called('xread') / 2);
}

try {
  for (let round = 0; round < ROUNDS; round++) for (const kind of Object.keys(RIVALS)) await measure(kind);
  report('fleet', figures.flatMap(Object.values));
} finally {
  asking.disconnect();
  redis.kill();
  rmSync(directory, { recursive: true, force: true });
}
process.exit();
