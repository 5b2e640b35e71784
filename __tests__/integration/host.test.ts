import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Entry } from '../../lib/journal/entry.ts';
import { fileJournal } from '../../lib/journal/file/file-journal.ts';
import { hostJournal } from '../../lib/journal/host/host-journal.ts';
import type { JournalStats } from '../../lib/journal/journal.ts';
import { memoryJournal } from '../../lib/journal/memory.ts';
import { Recorder } from '../contract/journal-contract.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { OrderPage } from '../support/order-page.ts';
import { afterwards, send, until } from '../support/server.ts';

const KILLS = Number(process.env.HOST_KILLS ?? 50);
const WORKERS = 3;
const PAGES_EACH = 4;
const REQUESTS_EACH = 3;

const PROGRAM = `
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { attach, fileJournal, hostJournal, memoryJournal } from ${JSON.stringify(resolve('dist/index.js'))};
const [directory, kind] = process.argv.slice(2);
const make = kind === 'file' ? () => fileJournal({ path: directory + '/log' }) : () => memoryJournal();

function fork(slot, port) {
  const worker = cluster.fork({ SLOT: slot, AT: port });
  const tell = (said) => console.log(JSON.stringify({ slot, pid: worker.process.pid, ...said }));
  worker.on('message', (said) => {
    port = said.port ?? port;
    tell(said);
  });
  worker.on('exit', () => fork(slot, port));
}

/** Says when this process has come to own the journal. */
function owned() {
  const journal = make();
  const open = journal.open.bind(journal);
  journal.open = async (...how) => {
    await open(...how);
    process.send({ owns: true });
  };
  return journal;
}

async function work() {
  const server = createServer(({ url }, response) =>
    response.writeHead(201).end(url === '/stats' ? JSON.stringify(live.stats().journal) : String(process.pid)));
  const live = attach(server, {
    journal: hostJournal({ socketPath: directory + '/host', journal: owned, node: 'web-' + process.env.SLOT }),
    routes: { '/shop/orders/:id': '/shop/orders' },
    routeData: true,
    onError: ({ code, message }) => process.send({ fault: code + ' ' + message }),
  });
  await live.ready;
  const at = { port: Number(process.env.AT), host: '127.0.0.1', exclusive: true };
  server.listen(at, () => process.send({ port: server.address().port }));
}

if (cluster.isPrimary) for (let slot = 0; slot < ${WORKERS}; slot++) fork(slot, 0);
else await work();
process.on('disconnect', () => process.exit());
`;

interface Worker {
  pid: number;
  port: number;
  /** It answers requests. */
  up: boolean;
}

/** node:cluster with workers that share a journal; each that dies is followed by another at its port. */
class Cluster {
  readonly workers: Worker[] = Array.from({ length: WORKERS }, () => ({
    pid: 0,
    port: 0,
    up: false,
    run: 0,
  }));
  readonly faults: { slot: number; fault: string }[] = [];
  /** The slot of the worker that owns the journal. */
  owner: number | undefined;
  /** How often one came to own it. */
  owned = 0;
  readonly takeovers: number[] = [];
  #killedAt: number | undefined;

  constructor(directory: string, kind: 'file' | 'memory') {
    const program = join(directory, 'cluster.mjs');
    writeFileSync(program, PROGRAM);
    const primary: ChildProcess = spawn(process.execPath, [program, directory, kind], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    afterwards(() => primary.kill('SIGKILL'));
    createInterface({ input: primary.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#hear(JSON.parse(line));
    });
  }

  #hear({
    slot,
    pid,
    port,
    owns,
    fault,
  }: {
    slot: number;
    pid: number;
    port?: number;
    owns?: true;
    fault?: string;
  }) {
    const worker = this.workers[slot] as Worker;
    worker.pid = pid;
    if (fault) this.faults.push({ slot, fault });
    if (port) Object.assign(worker, { port, up: true });
    if (!owns) return;
    this.owner = slot;
    this.owned++;
    if (this.#killedAt !== undefined) this.takeovers.push(performance.now() - this.#killedAt);
    this.#killedAt = undefined;
  }

  get up(): number {
    return this.workers.filter(({ up }) => up).length;
  }

  /** Resolves when another owns the journal. */
  async killOwner(): Promise<void> {
    const worker = this.workers[this.owner as number] as Worker;
    worker.up = false;
    this.owner = undefined;
    this.#killedAt = performance.now();
    process.kill(worker.pid, 'SIGKILL');
    await until(() => this.owner !== undefined);
  }
}

/** Stops a process, which is woken at the end of the test if it was not before. */
function freeze(pid: number): () => void {
  process.kill(pid, 'SIGSTOP');
  const thaw = () => process.kill(pid, 'SIGCONT');
  afterwards(thaw);
  return thaw;
}

/** Requests without a pause to each worker, each with a number of its own, until it is stopped. */
function load(cluster: Cluster) {
  const answered = new Map<string, { by: string; sentAt: number; at: number }>();
  let sent = 0;
  let stopped = false;
  const loop = async (slot: number) => {
    while (!stopped) {
      const worker = cluster.workers[slot] as Worker;
      const id = String(++sent);
      const sentAt = performance.now();
      const reply = await send(worker.port, 'POST', `/shop/orders/${id}`).catch(() => undefined);
      if (reply?.status === 201) answered.set(id, { by: reply.body, sentAt, at: performance.now() });
      // Whoever is gone cannot be back at once.
      else await sleep(5);
    }
  };
  const loops = cluster.workers.flatMap((_, slot) => Array.from({ length: REQUESTS_EACH }, () => loop(slot)));
  return {
    answered,
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const idOf = ({ data }: Entry) => (data as { id: string }).id;

async function oldestFirst(path: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of fileJournal({ path }).query()) entries.push(entry);
  return entries.reverse();
}

async function started(kind: 'file' | 'memory') {
  const directory = temporaryDirectory();
  const cluster = new Cluster(directory, kind);
  await until(() => cluster.up === WORKERS);
  const pages = cluster.workers.flatMap(({ port }) =>
    Array.from({ length: PAGES_EACH }, () => new OrderPage(port)),
  );
  await until(() => pages.every(({ live }) => live.position));
  return { cluster, pages, path: join(directory, 'log'), socketPath: join(directory, 'host') };
}

test(`processes whose journal's owner is killed ${KILLS} times under load lose and double nothing`, async () => {
  const { cluster, pages, path } = await started('file');
  const { answered, stop } = load(cluster);
  const begun = performance.now();
  for (let kill = 0; kill < KILLS; kill++) {
    // Mostly the next one is killed while the last is still starting.
    await until(() => cluster.up >= (kill % 5 ? 2 : WORKERS));
    await sleep(Math.random() * 50);
    await cluster.killOwner();
  }
  const took = performance.now() - begun;
  await until(() => cluster.up === WORKERS);
  await stop();
  const living = cluster.workers.map(({ pid }) => String(pid));
  await until(async () => {
    const { length } = await oldestFirst(path);
    return pages.every(({ ids }) => ids.length >= length) || pages.some(({ refreshes }) => refreshes > 0);
  });

  const entries = await oldestFirst(path);
  const ids = entries.map(idOf);
  const stored = new Set(ids);
  const lost = [...answered].filter(([id]) => !stored.has(id)).map(([, answer]) => answer);
  const ends = new Map([...lost].reverse().map(({ by, at }) => [by, at]));
  const holes = [...answered].filter(
    ([id, { by, sentAt }]) => stored.has(id) && sentAt > (ends.get(by) ?? sentAt),
  );
  const times = [...cluster.takeovers].sort((a, b) => a - b);
  console.info(
    `${KILLS} kills in ${(took / 1000).toFixed(1)} s; another owned the journal after ` +
      `${times[times.length >> 1]?.toFixed(0)} ms (median), ${times.at(-1)?.toFixed(0)} ms at most; ` +
      `${entries.length} entries, ${answered.size} answered, ${lost.length} of them lost with the process that answered`,
  );

  expect(entries.map(({ offset }) => offset)).toEqual(entries.map((_, i) => i + 1));
  expect(stored.size).toBe(ids.length);
  expect(entries.length).toBeGreaterThan(KILLS * 10);
  for (const page of pages) expect(page.ids).toEqual(ids);
  expect(pages.map(({ refreshes }) => refreshes)).toEqual(pages.map(() => 0));
  expect(new Set(pages.flatMap(({ epochs }) => [...epochs])).size).toBe(1);
  // What a process had accepted when it was killed may be gone, its end only. Nobody else's is.
  expect(holes).toEqual([]);
  expect(lost.filter(({ by }) => living.includes(by))).toEqual([]);
  // On a machine that is busy with other things a take-over may take long enough to be reported.
  const expected = /cut off in the middle|^JOURNAL_UNREACHABLE/;
  expect(cluster.faults.filter(({ fault }) => !expected.test(fault))).toEqual([]);
}, 180_000);

test('with the journal in memory each page is told to refresh when its owner is killed, and hears what follows', async () => {
  const { cluster, pages } = await started('memory');
  const { port } = cluster.workers[0] as Worker;
  await send(port, 'POST', '/shop/orders/before');
  await until(() => pages.every(({ ids }) => ids.includes('before')));
  await cluster.killOwner();
  await until(() => cluster.up === WORKERS && pages.every(({ refreshes }) => refreshes > 0));
  await send(port, 'POST', '/shop/orders/after');
  await until(() => pages.every(({ ids }) => ids.at(-1) === 'after'));
  for (const { epochs } of pages) expect(epochs.size).toBe(2);
}, 60_000);

test('processes whose journal’s owner is frozen say so and answer on, none takes its place, and all that waited comes once, in order', async () => {
  const { cluster, pages, path, socketPath } = await started('file');
  const owner = cluster.owner as number;
  const others = cluster.workers.map((_, slot) => slot).filter((slot) => slot !== owner);
  const sent = cluster.workers.map((): string[] => []);
  const order = async (slot: number) => {
    const id = `${slot}-${sent[slot]?.length}`;
    sent[slot]?.push(id);
    const { status } = await send((cluster.workers[slot] as Worker).port, 'POST', `/shop/orders/${id}`);
    expect(status).toBe(201);
  };
  const statsOf = async (slot: number): Promise<JournalStats> =>
    JSON.parse((await send((cluster.workers[slot] as Worker).port, 'GET', '/stats')).body);
  const heardBy = (slot: number) =>
    cluster.faults.filter((one) => one.slot === slot).map(({ fault }) => fault.split(' ')[0]);
  await Promise.all(cluster.workers.map((_, slot) => order(slot)));
  await until(() => pages.every(({ ids }) => ids.length === WORKERS));

  const thaw = freeze((cluster.workers[owner] as Worker).pid);
  const unanswered = order(owner);
  for (const slot of others) await order(slot);
  // One that comes now finds the seat taken, and waits.
  const makeJournal = jest.fn(memoryJournal);
  const late = hostJournal({ socketPath, journal: makeJournal });
  afterwards(() => late.close());
  const lateSink = new Recorder();
  const lateOpened = late.open(lateSink, 100);
  await until(() => others.every((slot) => heardBy(slot).length > 0));
  for (let n = 0; n < 20; n++) await Promise.all(others.map(order));
  for (const slot of others) expect(await statsOf(slot)).toEqual({ waiting: 21, lost: 0, connected: false });
  expect(pages.map(({ ids }) => ids.length)).toEqual(pages.map(() => WORKERS));
  expect(cluster.owned).toBe(1);

  thaw();
  await Promise.all([unanswered, lateOpened]);
  const count = sent.flat().length;
  await until(() => pages.every(({ ids }) => ids.length >= count) && lateSink.entries.length >= count);
  for (const slot of others) {
    const stats = await until(async () => {
      const now = await statsOf(slot);
      return now.waiting === 0 && now;
    });
    expect(stats).toEqual({ waiting: 0, lost: 0, connected: true });
  }

  const ids = (await oldestFirst(path)).map(idOf);
  expect(ids).toHaveLength(count);
  for (const [slot, own] of sent.entries())
    expect(ids.filter((id) => id.startsWith(`${slot}-`))).toEqual(own);
  for (const page of pages) expect([page.ids, page.refreshes]).toEqual([ids, 0]);
  expect(lateSink.entries.map(idOf)).toEqual(ids);
  expect(makeJournal).not.toHaveBeenCalled();
  expect(cluster.owned).toBe(1);
  expect(cluster.workers.map((_, slot) => heardBy(slot))).toEqual(
    cluster.workers.map((_, slot) => (slot === owner ? [] : ['JOURNAL_UNREACHABLE'])),
  );
}, 30_000);
