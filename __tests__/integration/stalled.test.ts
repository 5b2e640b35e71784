import { join } from 'node:path';
import type { AttachOptions } from '../../lib/index.ts';
import { CloseCode } from '../../lib/index.ts';
import { type Child, startChild } from '../support/child.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { RawClient } from '../support/raw.ts';
import { until } from '../support/server.ts';

/**
 * Clients that never read beside clients that do, on one server in a process of its own. It listens on a UNIX socket,
 * of which the kernel takes 200 KB and no more before it stalls.
 */
const CLIENTS = Number(process.env.STALLED_CLIENTS ?? 1000);
const NOTIFICATIONS = Number(process.env.STALLED_NOTIFICATIONS ?? 6000);
/** For few clients: two or three times what a socket takes, in however large pieces it comes. */
const MANY = 2 * NOTIFICATIONS;
const TOPICS = 20;

/**
 * What one that stalls may cost in the process: a frame of 64 KiB, what the socket takes before it says that it is
 * full (16 or 64 KiB).
 */
const STALLED_BYTES = 128 * 1024;

/** A client that checks what comes instead of keeping it. */
class Client extends RawClient {
  /** How many notifications came. */
  count = 0;
  /** Of the first one that came. */
  first: number | undefined;
  /** The first thing that was wrong. */
  wrong: string | undefined;
  /** The answers that came, `live` first. */
  readonly answers: string[] = [];
  /** The topics of the last `changed`. */
  changed: Set<string> | undefined;
  /** When each came, by its number; kept if given. */
  receivedAt: number[] | undefined;
  onAnswer: () => void = () => {};
  #telling = false;

  constructor(at: string) {
    super(at);
    this.onText = (text) => this.#read(text);
    this.say('since -\n+POST:/t/*');
  }

  #read(text: string): void {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      if (line[0] === '@') this.#start(line.split(' ')[1]);
      else if (this.#telling) this.changed?.add(line);
      else this.#take(line);
    }
  }

  #start(answer: string | undefined): void {
    this.#telling = answer === 'changed';
    if (answer === 'changed') this.changed = new Set();
    if (!answer) return;
    this.answers.push(answer);
    this.onAnswer();
  }

  /** Each must be the one after the last; after an answer any may come. */
  #take(line: string): void {
    const n = this.count + (this.first ?? 0);
    if (line !== `POST:/t/${n % TOPICS} {"n":${n},"of":"what happened"}`) {
      const said = Number(/"n":(\d+)/.exec(line)?.[1]);
      if (this.count > 0) this.wrong ??= `${line} in place of ${n}`;
      else this.first = said;
    }
    this.count++;
    if (this.receivedAt) this.receivedAt.push(Date.now());
  }

  /** Takes up with this number. */
  anew(next: number): void {
    this.count = 0;
    this.first = next;
  }
}

async function run(options: AttachOptions) {
  const at = join(temporaryDirectory(), 'http');
  const child = startChild();
  await child.start(options, at);
  return { child, at };
}

async function enter(at: string, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  // Not all at once: the kernel queues 511.
  while (clients.length < count) {
    const some = Array.from({ length: Math.min(200, count - clients.length) }, () => new Client(at));
    await until(() => some.every(({ answers }) => answers[0] === 'live'));
    clients.push(...some);
  }
  return clients;
}

/** Publishes, waits until the healthy ones have it all, and says how long it took until one of them had each. */
async function publish(child: Child, healthy: readonly Client[], count: number, everyMs = 0) {
  const watched = healthy[0] as Client;
  watched.receivedAt = [];
  const counts = healthy.map((client) => client.count);
  const { publishedAt } = await child.publish(count, TOPICS, everyMs);
  await until(() => healthy.every((client, i) => client.count === (counts[i] as number) + count));
  const took = watched.receivedAt.map((at, i) => at - (publishedAt[i] as number)).sort((a, b) => a - b);
  return `${took[Math.floor(count * 0.5)]} and ${took[Math.floor(count * 0.99)]} ms`;
}

const wrongs = (clients: readonly Client[]) => clients.map(({ wrong }) => wrong).filter(Boolean);

test('those who read do not notice those who do not, and these cost little', async () => {
  const { child, at } = await run({ windowSize: 2 * NOTIFICATIONS });
  const healthy = await enter(at, CLIENTS);
  const alone = await publish(child, healthy, 100, 20);
  const stalled = await enter(at, CLIENTS);
  const before = await child.measure();
  for (const client of stalled) client.socket.pause();
  await publish(child, healthy, NOTIFICATIONS);
  const after = await child.measure();
  const together = await publish(child, healthy, 100, 20);
  console.info(
    `stalled: from publish to receipt, p50 and p99: ${alone} alone, ${together} beside ${CLIENTS} that stall; of ` +
      `these each holds at most ${after.mostUnsent >> 10} KiB; heap ${before.heapUsed >> 20} to ` +
      `${after.heapUsed >> 20} MiB, rss ${before.rss >> 20} to ${after.rss >> 20} MiB`,
  );
  expect(wrongs(healthy)).toEqual([]);
  expect(after.unsent).toBeGreaterThan(0);
  expect(after.mostUnsent).toBeLessThan(STALLED_BYTES);
  expect(after.rss - before.rss).toBeLessThan(CLIENTS * STALLED_BYTES);
  // What they lack is all in the window: they get it, each once and in order.
  const back = stalled.slice(0, 50);
  for (const client of back) client.socket.resume();
  await until(() => back.every(({ count }) => count === NOTIFICATIONS + 100));
  expect(wrongs(back)).toEqual([]);
  expect(new Set(back.map(({ answers }) => answers.join()))).toEqual(new Set(['live']));
}, 60_000);

test('who reads again after the window has passed is told each topic that changed, and goes on', async () => {
  const windowSize = 500;
  const { child, at } = await run({ windowSize });
  const [healthy, stalled] = [await enter(at, 10), await enter(at, 50)];
  for (const client of stalled) client.socket.pause();
  // In parts, for an app that does nothing but publish would leave those who read behind too.
  for (let n = 0; n < MANY; n += windowSize) await publish(child, healthy, windowSize);
  const kept = stalled.map(({ count }) => count);
  for (const client of stalled) client.onAnswer = () => client.anew(MANY);
  for (const client of stalled) client.socket.resume();
  await until(() => stalled.every(({ changed }) => changed?.size === TOPICS));
  await publish(child, healthy, 100);
  await until(() => stalled.every(({ count }) => count === 100));
  expect(Math.max(...kept)).toBeLessThan(MANY);
  expect(wrongs([...healthy, ...stalled])).toEqual([]);
  expect(new Set(stalled.map(({ answers }) => answers.join()))).toEqual(new Set(['live,changed']));
});

test('who reads again after the history was lost is told to refresh all, and goes on', async () => {
  const { child, at } = await run({ windowSize: 2 * MANY });
  const [healthy, stalled] = [await enter(at, 10), await enter(at, 50)];
  for (const client of stalled) client.socket.pause();
  await publish(child, healthy, MANY);
  await child.lose();
  for (const client of stalled) client.onAnswer = () => client.anew(MANY);
  for (const client of stalled) client.socket.resume();
  const everyone = [...healthy, ...stalled];
  await until(() => everyone.every(({ answers }) => answers.length > 1));
  await publish(child, healthy, 100);
  await until(() => stalled.every(({ count }) => count === 100));
  expect(wrongs(everyone)).toEqual([]);
  expect(new Set(everyone.map(({ answers }) => answers.join()))).toEqual(new Set(['live,resync']));
});

test('who does not read for too long is closed with 4429, whether or not it comes to read that', async () => {
  const stallTimeoutMs = 200;
  const { child, at } = await run({ stallTimeoutMs });
  const [healthy, stalled] = [await enter(at, 10), await enter(at, 50)];
  for (const client of stalled) client.socket.pause();
  await publish(child, healthy, MANY);
  // Found to be stuck when there is something to send.
  const since = Date.now();
  while (Date.now() < since + 2 * stallTimeoutMs) await publish(child, healthy, 1);
  const reads = stalled[0] as Client;
  reads.socket.resume();
  await until(() => reads.closed);
  expect([reads.closeCode, reads.wrong]).toEqual([CloseCode.tooSlow, undefined]);
  await until(async () => (await child.measure()).connections === healthy.length);
  await publish(child, healthy, 1);
  expect(wrongs(healthy)).toEqual([]);
});
