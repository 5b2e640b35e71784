import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { Hub } from '../../lib/hub/hub.ts';
import type { Entry } from '../../lib/journal/entry.ts';
import { compilePattern } from '../../lib/protocol/pattern.ts';
import type { Entrance } from '../../lib/websocket/destination.ts';
import { Session } from '../../lib/websocket/session.ts';

/**
 * Random publishes, losses, restarts, stalls and changes of interest, held against a model that knows the whole
 * history: each frame must bring exactly what lies between two positions, or an explicit answer must cover the hole.
 */
const TOPICS = ['POST:/a', 'POST:/b', 'DELETE:/b/c', 'PUT:/d/e'];
const PATTERNS = ['POST:/a', '*:/b/**', 'POST:/*', '*:/**'];
const AUDIENCES = ['x', 'y'];
const CLIENTS = 3;

type Interest = { patterns: Set<string>; audience: string[] };

/** The server's side: a hub, and all that its journal ever held. */
class Server {
  hub!: Hub;
  epoch = 'e0';
  /** The entry with offset `n` is at `n - 1`; another epoch begins empty. */
  log: Entry[] = [];
  /** Where this run of the hub begins to know. */
  start = 0;
  readonly windowSize: number;

  constructor(windowSize: number) {
    this.windowSize = windowSize;
    this.boot();
  }

  get head(): number {
    return this.log.length;
  }

  get floor(): number {
    return Math.max(this.start, this.head - this.windowSize);
  }

  boot(): void {
    this.hub = new Hub({
      windowSize: this.windowSize,
      stallTimeoutMs: 0,
      onFault: (fault) => {
        throw fault;
      },
    });
    this.start = Math.max(0, this.head - this.windowSize);
    this.hub.reset({ epoch: this.epoch, offset: this.start });
    this.hub.deliver(this.log.slice(this.start));
  }

  lose(): void {
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`;
    this.log = [];
  }

  publish(topic: string, audience: string[] | undefined): void {
    const entry = {
      offset: this.head + 1,
      time: 0,
      topic,
      data: this.head + 1,
      ...(audience && { audience }),
    };
    this.log.push(entry);
    this.hub.deliver([entry]);
  }

  /** What somebody with this interest sees of the entries after `from`, up to `to`. */
  seen({ patterns, audience }: Interest, from: number, to: number): Entry[] {
    const matchers = [...patterns].map(compilePattern);
    return this.log
      .slice(from, to)
      .filter((entry) => !entry.audience || entry.audience.some((name) => audience.includes(name)))
      .filter((entry) => matchers.some((matches) => matches(entry.topic as string)));
  }
}

/** One page: what it knows, and its connection if it has one. */
class Page {
  readonly interest: Interest = { patterns: new Set(['POST:/a']), audience: [] };
  position: { epoch: string; offset: number } | undefined;
  readonly #server: Server;
  #ws: (EventEmitter & { readyState: number }) | undefined;
  #socket: (EventEmitter & { writableNeedDrain: boolean }) | undefined;
  /** The offset up to which this connection was served. */
  #served = 0;
  #answers = 0;

  constructor(server: Server) {
    this.#server = server;
  }

  get connected(): boolean {
    return this.#ws !== undefined;
  }

  connect(): void {
    const { hub, head, floor, epoch } = this.#server;
    const ws = Object.assign(new EventEmitter(), {
      OPEN: 1,
      readyState: 1,
      send: (data: string | Buffer) => this.#read(data.toString(), since, floor, epoch),
      close: (code: number, reason: string) => {
        throw new Error(`closed with ${code} ${reason}`);
      },
    });
    const socket = Object.assign(new EventEmitter(), { writableNeedDrain: false });
    const entrance = { ws, socket, protocol: 'reqcast.v1' } as unknown as Entrance;
    new Session(entrance, {
      hub,
      audiences: this.interest.audience,
      maxPatterns: 99,
      handshakeTimeoutMs: 1000,
    });
    const since = this.position;
    this.#ws = ws;
    this.#socket = socket;
    this.#served = head;
    this.#answers = 0;
    const said = since ? `${since.epoch}:${since.offset}` : '-';
    this.#say([`since ${said}`, ...[...this.interest.patterns].map((pattern) => `+${pattern}`)].join('\n'));
    if (this.#answers !== 1) throw new Error(`${this.#answers} answers`);
  }

  disconnect(): void {
    const ws = this.#ws;
    this.#ws = undefined;
    this.#socket = undefined;
    if (!ws) return;
    ws.readyState = 3;
    ws.emit('close');
  }

  stall(stalled: boolean): void {
    if (!this.#socket) return;
    this.#socket.writableNeedDrain = stalled;
    if (stalled) return;
    this.#socket.emit('drain');
    this.settled();
  }

  toggle(pattern: string): void {
    const { patterns } = this.interest;
    const adding = !patterns.has(pattern);
    // What a connection that takes data lacks is sent by the old interest first.
    if (this.#ws && !this.#socket?.writableNeedDrain) {
      this.#say('heartbeat');
      this.#socket?.emit('drain');
      this.#served = this.#server.head;
    }
    if (adding) patterns.add(pattern);
    else patterns.delete(pattern);
    if (this.#ws) this.#say(`${adding ? '+' : '-'}${pattern}`);
  }

  /** After a sweep: a connection that takes data was served up to the head. */
  settled(): void {
    if (!this.#socket || this.#socket.writableNeedDrain) return;
    const missed = this.#server.seen(this.interest, this.#served, this.#server.head);
    expect(missed).toEqual([]);
    this.#served = this.#server.head;
  }

  #say(text: string): void {
    this.#ws?.emit('message', Buffer.from(text), false);
  }

  #read(text: string, since: Page['position'], floor: number, epoch: string): void {
    const server = this.#server;
    const lines = text.split('\n').filter(Boolean);
    const [at, answer] = (lines[0] as string).split(' ') as [string, string | undefined];
    if (lines[0]?.startsWith('@') && answer) {
      const offset = Number(at.split(':')[1]);
      this.#answers++;
      if (this.#answers === 1) this.#checkFirst(answer, offset, since, floor, epoch);
      else expect(this.#served).toBeLessThan(server.floor);
      const from = this.#answers === 1 ? (since?.offset ?? 0) : this.#served;
      if (answer === 'changed') {
        const topics = server.seen(this.interest, from, server.head).map(({ topic }) => topic);
        expect(new Set(lines.slice(1, -1))).toEqual(new Set(topics));
        expect(lines.slice(1, -1)).toHaveLength(new Set(topics).size);
      }
      this.#arrive(offset);
      return;
    }
    const reached = Number((lines.at(-1) as string).split(':')[1]);
    const said = lines.slice(0, -1).map((line) => Number(line.split(' ')[1]));
    expect(said).toEqual(server.seen(this.interest, this.#served, reached).map(({ offset }) => offset));
    this.#arrive(reached);
  }

  /** The four answers, as PROTOCOL.md has them. */
  #checkFirst(answer: string, offset: number, since: Page['position'], floor: number, epoch: string): void {
    const { head, start } = this.#server;
    const expected = !since
      ? 'live'
      : since.epoch !== epoch || since.offset > head
        ? 'resync'
        : since.offset >= floor
          ? 'replayed'
          : since.offset >= start
            ? 'changed'
            : 'resync';
    expect(answer).toBe(expected);
    expect(offset).toBe(answer === 'replayed' ? since?.offset : head);
  }

  #arrive(offset: number): void {
    this.#served = offset;
    this.position = { epoch: this.#server.epoch, offset };
  }
}

const client = fc.nat({ max: CLIENTS - 1 });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('publish' as const),
      topic: fc.constantFrom(...TOPICS),
      audience: fc.option(fc.subarray(AUDIENCES, { minLength: 1 }), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constantFrom('connect' as const, 'disconnect' as const), client }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('stall' as const, 'drain' as const), client }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('toggle' as const),
      client,
      pattern: fc.constantFrom(...PATTERNS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('audience' as const), client, audience: fc.subarray(AUDIENCES) }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('restart' as const, 'lose' as const) }) },
);

async function play(
  windowSize: number,
  steps: ReadonlyArray<typeof step extends fc.Arbitrary<infer T> ? T : never>,
) {
  const server = new Server(windowSize);
  const pages = Array.from({ length: CLIENTS }, () => new Page(server));
  const sweep = async () => {
    await server.hub.settled();
    for (const page of pages) page.settled();
  };
  for (const one of steps) {
    const page = 'client' in one ? (pages[one.client] as Page) : (pages[0] as Page);
    if (one.act === 'publish') server.publish(one.topic, one.audience);
    else if (one.act === 'sweep') await sweep();
    else if (one.act === 'connect') page.connected || page.connect();
    else if (one.act === 'disconnect') page.disconnect();
    else if (one.act === 'stall' || one.act === 'drain') page.stall(one.act === 'stall');
    else if (one.act === 'toggle') page.toggle(one.pattern);
    else if (one.act === 'audience') {
      // Whom the server takes a client for is settled when it enters.
      page.disconnect();
      page.interest.audience = one.audience;
    } else {
      await server.hub.settled();
      for (const each of pages) each.disconnect();
      if (one.act === 'lose') server.lose();
      server.boot();
    }
  }
  for (const page of pages) {
    page.stall(false);
    if (!page.connected) page.connect();
  }
  await sweep();
}

test('each page ends with what the model says, or an answer covers the hole', async () => {
  const runs = Number(process.env.MODEL_RUNS ?? 2000);
  const seed = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 31);
  console.info(`model: ${runs} runs, MODEL_SEED=${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 80, size: 'max' }), play),
    {
      numRuns: runs,
      seed,
    },
  );
}, 120_000);
