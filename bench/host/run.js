// What the app's own requests have to bear while it announces 1,000 notifications a second to 5,000 subscribers: one
// core for the server, the other for all who ask it. SECONDS and N in the environment change that.
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compile } from '../support/compile.js';
import { Figure } from '../support/figure.js';
import { Program } from '../support/program.js';
import { report } from '../support/report.js';
import { subscribers } from '../support/subscribers.js';

const SECONDS = Number(process.env.SECONDS ?? 30);
const N = Number(process.env.N ?? 5000);
const RATE = Number(process.env.RATE ?? 1000);
/** A peer that is not through by then will not be. */
const PATIENCE_MS = 5_000;
const WARM_UP_MS = 2_000;
const CLIENTS = 16;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const load = compile(here('load.c'));
const RIVALS = { reqcast: 'reqcast', 'ws loop': 'ws', 'socket.io': 'socketio' };
const chosen = process.env.RIVALS?.split(',') ?? Object.keys(RIVALS);

const figure = (title, unit, better, target, none = 'served no request') =>
  new Figure({ title, unit, better, targets: target ? [target] : [], none });
const figures = {
  p99: figure("the app's requests, p99", 'ms', 'less', { most: 8 }),
  worst: figure("the app's requests, the slowest", 'ms', 'less'),
  rate: figure("the app's requests a second, of those without subscribers", '%', 'more', { least: 55 }),
  published: figure('notifications published of those due', '%', 'more', undefined, 'did not answer'),
  lag99: figure('from publish to receipt, 99 of 100', 'ms', 'less', undefined, 'not through in time'),
  lag: figure(
    'from publish to receipt, the latest of all',
    'ms',
    'less',
    { most: 300 },
    'not through in time',
  ),
  memory: figure(
    'resident memory, growth from the 5th second to the last',
    'MB',
    'less',
    undefined,
    'did not answer',
  ),
};

/** Its app's requests, and what became of the notifications. */
async function measure(name) {
  const peer = RIVALS[name];
  const server = new Program(0, process.execPath, here('serve.js'), peer);
  const [, port] = (await server.next()).split(' ');
  await server.ask(`rate ${RATE}`);
  const alone = await ask(port, [WARM_UP_MS, 10_000]);
  await server.ask('rate 0');
  const crowd = new Program(1, subscribers, port, String(N), peer);
  await crowd.next();
  await server.ask(`rate ${RATE}`);
  let early;
  const together = await ask(port, [5_000, SECONDS * 1000 - 5_000], () => {
    early = within(server.ask('memory'));
  });
  const late = await within(server.ask('memory'));
  const published = await within(server.ask('rate 0'));
  const all = Number(published ?? 0) * N;
  const received = published && (await within(crowd.ask(all)));
  const lag = received && (await crowd.ask('lag'));
  server.end();
  crowd.end();
  return { alone, together, growth: late && late - (await early), published, received, lag };
}

/** Nothing if it takes too long. */
const within = (promise) => Promise.race([promise, setTimeout(PATIENCE_MS)]);

/** Asks the app for so long, and then for so long again: what the second time brought. */
async function ask(port, [first, second], between = () => {}) {
  const app = new Program(1, load, port, String(CLIENTS));
  await app.next();
  await app.ask(first);
  between();
  const line = await app.ask(second);
  app.end();

  const [answers, median, p99, most] = line.split(' ').map(Number);
  return { perSecond: (answers * 1000) / second, median: median / 1000, p99: p99 / 1000, most: most / 1000 };
}

for (const name of chosen) {
  const got = await measure(name);
  const served = got.together.perSecond > 0;
  figures.p99.add(name, served ? got.together.p99 : null);
  figures.worst.add(name, served ? got.together.most : null);
  figures.rate.add(name, (got.together.perSecond / got.alone.perSecond) * 100);
  figures.published.add(name, got.published && (Number(got.published) / (RATE * SECONDS)) * 100);
  // Of one that has told nothing there is no delay.
  const [lag99, lag] = (got.lag ?? '').split(' ').map((ms) => Number(ms) || null);
  figures.lag99.add(name, lag99 ?? null);
  figures.lag.add(name, lag ?? null);
  figures.memory.add(name, got.growth || null);
}
report('host', Object.values(figures));
process.exit();
