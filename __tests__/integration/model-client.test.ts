import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { connect, type Live, type Notification } from '../../lib/client/index.ts';
import type { Entry } from '../../lib/journal/entry.ts';
import { compilePattern } from '../../lib/protocol/pattern.ts';
import type { Entrance } from '../../lib/websocket/destination.ts';
import { Session } from '../../lib/websocket/session.ts';
import { setGlobal } from '../client/stage.ts';
import { payloadOf } from '../support/frame.ts';
import { ModelServer, sees } from '../support/model-server.ts';
import { act, commonSteps, maxTopics, runsOf, stepsOf, windowSize } from '../support/model-steps.ts';

/**
 * The real client on the real session, through connections that take their time, both ways, and lose what is on its way.
 * A page's listeners must be called for each entry that is due to them from their `on` on, once and in order, or told
 * `changed` or `resync` after it.
 */
const CLIENTS = 2;

/** The client's WebSocket, joined to a session once the test opens it. */
class Pair {
  /** The newest of each URL. */
  static readonly made = new Map<string, Pair>();

  readyState = 0;
  protocol = 'reqcast.v1';
  binaryType = '';
  onopen?: () => void;
  onmessage?: ((message: { data: unknown }) => void) | null;
  onclose?: ((closed: { code: number; reason: string }) => void) | null;
  /** What the server said and the client has not heard yet. */
  readonly onTheWay: string[] = [];
  /** What the client said and the server has not heard yet. */
  readonly said: string[] = [];
  readonly serverSocket = Object.assign(new EventEmitter(), {
    writableNeedDrain: false,
    cork() {},
    uncork() {},
    write: (frame: Buffer) => this.onTheWay.push(payloadOf(frame)),
  });
  readonly serverSide = {
    OPEN: 1,
    readyState: 1,
    close: (code: number, reason: string) => {
      throw new Error(`closed with ${code} ${reason}`);
    },
  };
  session: Session | undefined;
  /** How often the client has said what it wants, and how often it knows that the server has heard it. */
  wishes = 0;
  known = 1;

  constructor(readonly url: string) {
    Pair.made.set(new URL(url).pathname, this);
  }

  send(data: unknown): void {
    this.said.push(String(data));
    this.wishes++;
  }

  /** The server hears the next message. */
  listen(): void {
    this.session?.hear(Buffer.from(this.said.shift() as string), false);
  }

  close(): void {
    this.readyState = 3;
    this.serverSide.readyState = 3;
    this.session?.closed();
  }

  open(hub: ModelServer['hub'], audiences: readonly string[]): void {
    const entrance = { ws: this.serverSide, socket: this.serverSocket, protocol: this.protocol };
    const context = { hub, maxPatterns: 99, handshakeTimeoutMs: 1000 };
    this.session = new Session(entrance as unknown as Entrance, context, audiences);
    this.readyState = 1;
    this.onopen?.();
  }

  /** The client hears the next message. */
  hear(): void {
    const data = this.onTheWay.shift();
    this.known = Number(/^@\S+ (\d+)$/m.exec(data as string)?.[1] ?? this.known);
    this.onmessage?.({ data });
  }

  lose(): void {
    this.onTheWay.length = 0;
    this.said.length = 0;
    this.close();
    this.onclose?.({ code: 1006, reason: '' });
  }
}

/** An entry that a listener must hear of. */
interface Due {
  readonly topic: string;
  readonly id: number;
}

/** One listener: what it was called with, and what it is still due. */
class Listening {
  due: Due[] = [];
  #last = 0;
  readonly #page: Page;
  readonly pattern: string;

  constructor(page: Page, pattern: string) {
    this.#page = page;
    this.pattern = pattern;
  }

  /** What a listener throws goes elsewhere. */
  readonly hear = (notification: Notification) => {
    try {
      this.#take(notification);
    } catch (error) {
      this.#page.wrong ??= error;
    }
  };

  #take({ topic, data, replay }: Notification): void {
    if (replay === 'resync') {
      expect([topic, data]).toEqual([this.pattern, undefined]);
      expect(this.#page.mayResync).toBe(true);
      this.due = [];
    } else if (replay === 'changed') {
      expect(this.#page.told.has(topic)).toBe(true);
      // It is called once for all of them.
      this.due = this.due.filter((due) => !this.#page.told.has(due.topic));
    } else {
      const id = data as number;
      expect(id).toBeGreaterThan(this.#last);
      this.#last = id;
      const entry = this.#page.entries.get(id) as Entry;
      expect([topic, compilePattern(this.pattern)(topic)]).toEqual([entry.topic, true]);
      expect(this.#page.everSaw(entry)).toBe(true);
      // Those before it can come no more: they are due for ever, and the test fails at its end.
      this.due = this.due.filter((due) => due.id !== id);
    }
  }
}

class Page {
  readonly live: Live;
  readonly listening = new Map<string, { one: Listening; off: () => void }>();
  audience: string[] = [];
  /** The first thing that was wrong with a call. */
  wrong: unknown;
  /** The server says resync just now, or there was nothing to resume from. */
  mayResync = false;
  /** The topics that the server has told last as changed. */
  told = new Set<string>();
  readonly entries: Map<number, Entry>;
  readonly #audiences = new Set<string>();
  readonly #path: string;
  #greeted = false;
  #lost = false;
  /** The connection was lost when nobody knew of what the page wanted last. */
  #unsure = false;

  constructor(entries: Map<number, Entry>, path: string) {
    this.entries = entries;
    this.#path = path;
    this.live = connect({ url: `ws://host${path}`, WebSocket: Pair, reconnect: { minMs: 1, maxMs: 1 } });
    this.toggle('*:/b/**');
  }

  get pair(): Pair {
    return Pair.made.get(this.#path) as Pair;
  }

  get connected(): boolean {
    return this.pair.readyState === 1;
  }

  connect(server: ModelServer): void {
    if (this.connected) return;
    // Until the next attempt.
    jest.advanceTimersByTime(5);
    this.pair.open(server.hub, this.audience);
  }

  /** The server hears what the page said. */
  say(count = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < count && this.pair.said.length > 0; i++) {
      this.#greeted = true;
      this.pair.listen();
    }
  }

  lose(): void {
    if (!this.connected) return;
    this.#lost = true;
    this.#unsure ||= this.pair.wishes > this.pair.known;
    this.pair.lose();
  }

  stall(stalled: boolean): void {
    this.pair.serverSocket.writableNeedDrain = stalled;
    if (!stalled) this.pair.serverSocket.emit('drain');
  }

  hear(count = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < count && this.pair.onTheWay.length > 0; i++) {
      const [first = '', ...lines] = (this.pair.onTheWay[0] as string).split('\n');
      const answer = first[0] === '@' ? first.split(' ')[1] : undefined;
      const unsure = this.#unsure || (answer === 'live' && this.#lost && !this.live.position);
      this.mayResync = answer === 'resync' || unsure;
      if (answer === 'changed') this.told = new Set(lines);
      this.pair.hear();
      this.#unsure = false;
    }
  }

  toggle(pattern: string): void {
    const known = this.listening.get(pattern);
    known?.off();
    this.listening.delete(pattern);
    if (known) return;
    const one = new Listening(this, pattern);
    this.listening.set(pattern, { one, off: this.live.on(pattern, one.hear) });
  }

  meet(audience: string[]): void {
    this.audience = audience;
    for (const name of audience) this.#audiences.add(name);
    if (this.connected) this.pair.session?.meet(audience);
    // What it may no longer see is due no more.
    for (const { one } of this.listening.values())
      one.due = one.due.filter(({ id }) =>
        sees({ patterns: ['*:/**'], audience }, this.entries.get(id) as Entry),
      );
  }

  everSaw(entry: Entry): boolean {
    return sees({ patterns: ['*:/**'], audience: [...this.#audiences] }, entry);
  }

  /** It happened: due to those who listen, once the server has heard of the page. */
  owe(entry: Entry, id: number): void {
    if (!this.#greeted) return;
    for (const [pattern, { one }] of this.listening)
      if (sees({ patterns: [pattern], audience: this.audience }, entry))
        one.due.push({ topic: entry.topic as string, id });
  }
}

const step = fc.oneof(
  ...commonSteps(CLIENTS),
  act(3, 'hear', fc.record({ client: fc.nat({ max: CLIENTS - 1 }), count: fc.integer({ min: 1, max: 3 }) })),
  act(3, 'say', fc.record({ client: fc.nat({ max: CLIENTS - 1 }), count: fc.integer({ min: 1, max: 3 }) })),
  act(1, 'reset', fc.record({ unknown: fc.nat({ max: 3 }) })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(windowSize: number, maxTopics: number, steps: readonly Step[]) {
  const server = new ModelServer(windowSize, maxTopics);
  const entries = new Map<number, Entry>();
  const pages = Array.from({ length: CLIENTS }, (_, i) => new Page(entries, `/${i}`));
  for (const one of steps) {
    // What a page wants is said when it has done all of it.
    await null;
    const page = pages['client' in one ? one.client : 0] as Page;
    if (one.act === 'publish') {
      const id = entries.size + 1;
      const entry = server.publish(one.topic, one.audience, id);
      entries.set(id, entry);
      for (const each of pages) each.owe(entry, id);
    } else if (one.act === 'sweep') await server.settled();
    else if (one.act === 'connect') page.connect(server);
    else if (one.act === 'disconnect') page.lose();
    else if (one.act === 'stall' || one.act === 'drain') page.stall(one.act === 'stall');
    else if (one.act === 'hear') page.hear(one.count);
    else if (one.act === 'say') page.say(one.count);
    else if (one.act === 'toggle') page.toggle(one.pattern);
    else if (one.act === 'meet') page.meet(one.audience);
    else if (one.act === 'reset') server.lose(one.unknown);
    else {
      for (const each of pages) each.lose();
      if (one.lost) server.lose(0);
      server.boot(Math.min(one.known, windowSize));
    }
  }
  await null;
  for (const page of pages) {
    page.connect(server);
    page.say();
    page.stall(false);
  }
  await server.settled();
  for (const page of pages) page.hear();
  const due = pages.map(({ listening }) => [...listening.values()].flatMap(({ one }) => one.due));
  for (const { live } of pages) live.close();
  for (const { wrong } of pages) if (wrong) throw wrong;
  expect(due).toEqual(pages.map(() => []));
}

test('each listener is called for all that is due to it, once and in order, or told that it cannot be', async () => {
  // As in an insecure context, where nothing is computed before `since` is said: a step leaves nothing to wait for.
  setGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] });
  await fc
    .assert(
      fc.asyncProperty(windowSize, maxTopics, stepsOf(step), play),
      runsOf('model with the client', 2000),
    )
    .finally(() => jest.useRealTimers());
}, 120_000);
