import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Entry } from '../../lib/journal/entry.ts';
import { fileJournal } from '../../lib/journal/file/file-journal.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { OrderPage } from '../support/order-page.ts';
import { afterwards, until } from '../support/server.ts';

const KILLS = 50;
const CLIENTS = 20;
const CONCURRENT_REQUESTS = 16;

const PROGRAM = `
import { createServer } from 'node:http';
import { attach, fileJournal } from ${JSON.stringify(resolve('dist/index.js'))};
const [path, port] = process.argv.slice(2);
const server = createServer((request, response) => response.writeHead(201).end(request.url));
const live = attach(server, {
  journal: fileJournal({ path, rotateBytes: 500_000, keepFiles: 100 }),
  routes: { '/shop/orders/:id': '/shop/orders' },
  routeData: true,
  onError: (error) => console.log('fault', error.code, error.message),
});
await live.ready;
server.listen(Number(port), '127.0.0.1', () => console.log('port', server.address().port));
process.on('SIGTERM', async () => {
  await live.close();
  server.close();
  server.closeAllConnections();
});
`;

/** The server, killed and started again at one port. */
class Host {
  readonly faults: string[] = [];
  /** How often it was started. */
  run = 0;
  port = 0;
  readonly #arguments: string[];
  #child: ChildProcess | undefined;

  constructor(program: string, path: string) {
    this.#arguments = [program, path];
    afterwards(() => this.end('SIGKILL'));
  }

  /** Resolves when it listens, or was killed before. */
  async start(): Promise<void> {
    this.run++;
    const child = spawn(process.execPath, [...this.#arguments, String(this.port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    await new Promise<void>((done) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [word, rest] = line.split(/ (.*)/s);
        if (word !== 'port') this.faults.push(line);
        else this.port = Number(rest);
        if (word === 'port') done();
      });
      child.once('exit', () => done());
    });
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

/** Requests without a pause, each with a number of its own. */
class Driver {
  /** Those that were answered, by their number: by which run, when they were sent, when the answer was there. */
  readonly answered = new Map<string, { run: number; sentAt: number; at: number }>();
  sent = 0;
  readonly #host: Host;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #loops: Promise<void>[];
  #stopped = false;

  constructor(host: Host) {
    this.#host = host;
    this.#loops = Array.from({ length: CONCURRENT_REQUESTS }, () => this.#loop());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      const id = String(++this.sent);
      const { run } = this.#host;
      const sentAt = performance.now();
      if (await this.#post(id)) this.answered.set(id, { run, sentAt, at: performance.now() });
      // The server is gone: it cannot be back at once.
      else await new Promise((done) => setTimeout(done, 5));
    }
  }

  #post(id: string): Promise<boolean> {
    return new Promise((done) => {
      const { port } = this.#host;
      const options = {
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: `/shop/orders/${id}`,
        agent: this.#agent,
      };
      request(options, (response) => {
        response.on('end', () => done(response.complete && response.statusCode === 201));
        response.on('error', () => done(false)).resume();
      })
        .on('error', () => done(false))
        .end();
    });
  }
}

/** The same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const idOf = ({ data }: Entry) => (data as { id: string }).id;

async function oldestFirst(path: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of fileJournal({ path }).query()) entries.push(entry);
  return entries.reverse();
}

test(`a server that is killed ${KILLS} times under load leaves no page stale, and none is called twice`, async () => {
  const seed = Number(process.env.KILL_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const next = random(seed);
  const directory = temporaryDirectory();
  const path = join(directory, 'requests.jsonl');
  const program = join(directory, 'server.mjs');
  writeFileSync(program, PROGRAM);
  const host = new Host(program, path);
  await host.start();
  const pages = Array.from({ length: CLIENTS }, () => new OrderPage(host.port));
  await until(() => pages.every(({ live }) => live.position));
  const driver = new Driver(host);
  const kills: number[] = [];
  const kill = async (afterMs: number) => {
    await sleep(afterMs);
    kills.push(performance.now());
    await host.end('SIGKILL');
  };

  await kill(next() * 400);
  while (kills.length < KILLS) {
    const started = host.start();
    // One of four dies while it starts, somewhere in the reading of what the one before left.
    if (next() < 0.25) await kill(next() * 250);
    else await started.then(() => kill(next() * 400));
  }
  await host.start();
  await driver.stop();
  await until(async () => {
    const { length } = await oldestFirst(path);
    return pages.every(({ ids }) => ids.length >= length) || pages.some(({ refreshes }) => refreshes > 0);
  });
  await host.end('SIGTERM');

  const entries = await oldestFirst(path);
  const inJournal = new Set(entries.map(idOf));
  const answers = [...driver.answered];
  const lost = answers.filter(([id]) => !inJournal.has(id)).map(([, answer]) => answer);
  const lags = lost.map(({ run, at }) => (kills[run - 1] ?? Number.POSITIVE_INFINITY) - at);
  // Only the end of a run may be missing: what was sent after a lost answer was there is lost too.
  const ends = new Map([...lost].reverse().map(({ run, at }) => [run, at]));
  const holes = answers.filter(
    ([id, { run, sentAt }]) => inJournal.has(id) && sentAt > (ends.get(run) ?? sentAt),
  );
  const report =
    `seed ${seed}: ${driver.sent} requests, ${driver.answered.size} answered, ${entries.length} entries in ` +
    `${readdirSync(directory).filter((name) => /jsonl(\.\d+)?$/.test(name)).length} files, ${KILLS} kills; ` +
    `${lost.length} answered and lost, at most ${Math.max(0, ...lags).toFixed(0)} ms before a kill`;
  console.info(report);

  expect(entries.map(({ offset }) => offset)).toEqual(entries.map((_, i) => i + 1));
  expect(entries.length).toBeGreaterThan(1000);
  for (const { ids } of pages) expect(ids).toEqual(entries.map(idOf));
  expect(pages.map(({ refreshes }) => refreshes)).toEqual(pages.map(() => 0));
  expect(new Set(pages.flatMap(({ epochs }) => [...epochs])).size).toBe(1);
  expect([report, holes]).toEqual([report, []]);
  expect(host.faults.filter((fault) => !/cut off in the middle/.test(fault))).toEqual([]);
}, 180_000);
