/** From publishing on one node to receipt on another, the CPU of both, and what the engine is asked to do for it. */
import { spawnSync } from 'node:child_process';
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
import { natsServer, none, redisServer } from './engine.js';

const require = createRequire(import.meta.url);
const { setupPrimary } = require('@socket.io/cluster-adapter');
const { io } = require('socket.io-client');

const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** All rivals at once, once: each does nothing nearly all of the time. */
const SLOW = { rate: 1, ms: 30_000 };
/** One after the other, in each round. */
const FAST = { rate: 1000, ms: 1500 };
const WARM_UP = { rate: 1000, ms: 1000 };

const directory = mkdtempSync(join(tmpdir(), 'reqcast-bench-'));
const RIVALS = {
  host: { name: 'reqcast, host', engine: () => none(join(directory, 'host')) },
  redis: { name: 'reqcast, redis', engine: () => redisServer(directory, 'evalsha') },
  nats: { name: 'reqcast, nats', engine: () => natsServer(directory) },
  streams: { name: 'socket.io, redis streams', engine: () => redisServer(directory, 'xadd') },
  cluster: { name: 'socket.io, cluster', engine: () => none() },
};
if (spawnSync('nats-server', ['--version']).error) {
  console.log('without NATS: nats-server is not installed (Debian: nats-server)');
  delete RIVALS.nats;
}
const chosen = process.env.RIVALS?.split(',') ?? Object.keys(RIVALS);

cluster.setupPrimary({ exec: fileURLToPath(new URL('node.js', import.meta.url)), serialization: 'advanced' });
setupPrimary();

async function node(KIND, AT = '') {
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

function figuresAt({ rate }) {
  const figure = (what, unit, to = {}) =>
    new Figure({
      title: `${what}, ${rate} a second`,
      unit,
      better: 'less',
      ours: RIVALS.redis.name,
      ...to,
    });
  return {
    p50: figure('publish on A to receipt on B, p50', 'ms'),
    p99: figure('publish on A to receipt on B, p99', 'ms'),
    cpu: figure('CPU of both nodes a notification', 'µs'),
    engine: figure('CPU of the engine a notification', 'µs'),
    writes: figure('writes to the engine a notification', 'commands', { targets: [{ most: 1 }] }),
    reads: figure('all else that each node asks of the engine, a notification', 'commands'),
  };
}
const figures = [SLOW, FAST].map(figuresAt);

/** Two nodes, and one subscriber of the second. */
async function stage(kind, engine) {
  const [a, b] = [await node(kind, engine.at), await node(kind, engine.at)];
  const took = [];
  const leave = await subscribe(kind, b.port, (us) => took.push(us / 1000));
  // Warm, and the adapters have met.
  const warm = await a.publish(WARM_UP);
  while (took.length < warm / 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const end = async () => {
    leave();
    await Promise.all([a.end(), b.end()]);
  };
  return { kind, engine, a, b, took, end };
}

async function measure({ kind, engine, a, b, took }, load, figure) {
  took.length = 0;
  const before = await engine.counts();
  for (const each of [a, b]) each.mark();
  const sent = await a.publish(load);
  while (took.length < sent) await new Promise((resolve) => setTimeout(resolve, 5));
  const cpu = (await a.cpu()) + (await b.cpu());
  const after = await engine.counts();
  took.sort((x, y) => x - y);
  const { name } = RIVALS[kind];
  figure.p50.add(name, took[took.length >> 1]);
  figure.p99.add(name, took[Math.floor(took.length * 0.99)]);
  figure.cpu.add(name, cpu / sent);
  if (!before) return;
  figure.engine.add(name, (after.cpu - before.cpu) / sent);
  figure.writes.add(name, (after.writes - before.writes) / sent);
  figure.reads.add(name, (after.reads - before.reads) / sent / 2);
}

const engines = {};
try {
  for (const kind of chosen) engines[kind] = await RIVALS[kind].engine();
  const stages = [];
  for (const kind of chosen) stages.push(await stage(kind, engines[kind]));
  await Promise.all(stages.map((each) => measure(each, SLOW, figures[0])));
  for (const each of stages) await each.end();
  for (let round = 0; round < ROUNDS; round++)
    for (const kind of chosen) {
      const each = await stage(kind, engines[kind]);
      await measure(each, FAST, figures[1]);
      await each.end();
    }
  report('fleet', figures.flatMap(Object.values));
} finally {
  for (const engine of Object.values(engines)) engine.end();
  rmSync(directory, { recursive: true, force: true });
}
process.exit();
