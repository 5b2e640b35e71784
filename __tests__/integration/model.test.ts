import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import type { Position } from '../../lib/protocol/position.ts';
import type { Entrance } from '../../lib/websocket/destination.ts';
import { Session } from '../../lib/websocket/session.ts';
import { payloadOf } from '../support/frame.ts';
import { AUDIENCES, ModelServer, PATTERNS, TOPICS } from '../support/model-server.ts';

/**
 * Random publishes, losses, restarts, stalls and changes of interest, held against a model that knows the whole
 * history: each frame must bring exactly what lies between two positions, or an explicit answer must cover the hole.
 */
const CLIENTS = 3;

/** One page: what it knows, and its connection if it has one. */
class Page {
  readonly patterns = new Set(['POST:/a']);
  audience: string[] = [];
  position: Position | undefined;
  readonly #server: ModelServer;
  #session: Session | undefined;
  #ws: { readyState: number } | undefined;
  #socket: (EventEmitter & { writableNeedDrain: boolean }) | undefined;
  /** Up to where this connection was served. */
  #served: Position;
  #answers = 0;

  constructor(server: ModelServer) {
    this.#server = server;
    this.#served = this.#head;
  }

  get connected(): boolean {
    return this.#ws !== undefined;
  }

  get #head(): Position {
    return { epoch: this.#server.epoch, offset: this.#server.head };
  }

  get #takes(): boolean {
    return this.#socket !== undefined && !this.#socket.writableNeedDrain;
  }

  connect(): void {
    const since = this.position;
    const ws = {
      OPEN: 1,
      readyState: 1,
      close: (code: number, reason: string) => {
        throw new Error(`closed with ${code} ${reason}`);
      },
    };
    const socket = Object.assign(new EventEmitter(), {
      writableNeedDrain: false,
      cork() {},
      uncork() {},
      write: (frame: Buffer) => this.#read(payloadOf(frame), since),
    });
    const entrance = { ws, socket, protocol: 'reqcast.v1' } as unknown as Entrance;
    const context = { hub: this.#server.hub, maxPatterns: 99, handshakeTimeoutMs: 1000 };
    this.#session = new Session(entrance, context, this.audience);
    this.#ws = ws;
    this.#socket = socket;
    this.#answers = 0;
    const said = since ? `${since.epoch}:${since.offset}` : '-';
    this.#say([`since ${said}`, ...[...this.patterns].map((pattern) => `+${pattern}`)].join('\n'));
    if (this.#answers !== 1) throw new Error(`${this.#answers} answers`);
    this.settled();
  }

  disconnect(): void {
    const ws = this.#ws;
    this.#ws = undefined;
    this.#socket = undefined;
    if (!ws) return;
    ws.readyState = 3;
    this.#session?.closed();
  }

  stall(stalled: boolean): void {
    if (!this.#socket) return;
    this.#socket.writableNeedDrain = stalled;
    // What it lacks follows in a sweep.
    if (!stalled) this.#socket.emit('drain');
  }

  toggle(pattern: string): void {
    const adding = !this.patterns.has(pattern);
    // What a connection that takes data lacks comes by the old interest, in the course of this.
    if (this.#ws) this.#say(`${adding ? '+' : '-'}${pattern}`);
    this.settled();
    if (adding) this.patterns.add(pattern);
    else this.patterns.delete(pattern);
  }

  /** It was authorized again. What it lacks is for who it is from here on. */
  meet(audience: string[]): void {
    this.audience = audience;
    if (this.#ws) this.#session?.meet(audience);
  }

  beat(): void {
    if (!this.#ws) return;
    const before = this.#served;
    this.#session?.beat();
    expect(this.#served).toEqual(before);
  }

  /** After a sweep: a connection that takes data was served up to the head. */
  settled(): void {
    if (!this.#takes) return;
    expect(this.#served.epoch).toBe(this.#server.epoch);
    expect(this.#server.seen(this, this.#served.offset, this.#server.head)).toEqual([]);
    this.#served = this.#head;
  }

  #say(text: string): void {
    if (this.#ws) this.#session?.hear(Buffer.from(text), false);
  }

  #read(text: string, since: Position | undefined): void {
    // Nothing is written to one that takes nothing.
    expect(this.#takes).toBe(true);
    const lines = text.split('\n').filter(Boolean);
    const [at, answer] = (lines[0] as string).split(' ') as [string, string | undefined];
    if (lines[0]?.startsWith('@') && answer) {
      this.#start(answer, at, lines.slice(1), since);
      return;
    }
    const reached = positionOf(lines.at(-1) as string);
    const said = lines.slice(0, -1).map((line) => Number(line.split(' ')[1]));
    expect(reached.epoch).toBe(this.#served.epoch);
    const due = this.#server.seen(this, this.#served.offset, reached.offset);
    expect(said).toEqual(due.map(({ offset }) => offset));
    this.#arrive(reached);
  }

  #start(answer: string, at: string, lines: string[], since: Position | undefined): void {
    const first = ++this.#answers === 1;
    const from = first ? since : this.#served;
    expect(answer).toBe(this.#server.answerTo(from));
    // Later on what can be replayed is, without a word.
    if (!first) expect(['changed', 'resync']).toContain(answer);
    expect(positionOf(at)).toEqual(answer === 'replayed' ? since : this.#head);
    if (answer === 'changed' && from) {
      const topics = this.#server.seen(this, from.offset, this.#server.head).map(({ topic }) => topic);
      expect(lines.slice(0, -1).sort()).toEqual([...new Set(topics)].sort());
      if (lines.length > 0) expect(lines.at(-1)).toBe(at);
    } else expect(lines).toEqual([]);
    this.#arrive(positionOf(at));
  }

  #arrive(position: Position): void {
    this.#served = position;
    this.position = position;
  }
}

function positionOf(line: string): Position {
  const [epoch, offset] = line.slice(1).split(':') as [string, string];
  return { epoch, offset: Number(offset) };
}

const client = fc.nat({ max: CLIENTS - 1 });
const audience = fc.subarray(AUDIENCES);
const act = <A extends string, R extends object>(weight: number, name: A, more: fc.Arbitrary<R>) => ({
  weight,
  arbitrary: more.map((rest) => ({ act: name, ...rest })),
});
const step = fc.oneof(
  act(
    6,
    'publish',
    fc.record({
      topic: fc.option(fc.constantFrom(...TOPICS), { nil: undefined, freq: 6 }),
      audience: fc.option(fc.subarray(AUDIENCES, { minLength: 1 }), { nil: undefined }),
    }),
  ),
  act(2, 'connect', fc.record({ client })),
  act(1, 'disconnect', fc.record({ client })),
  act(1, 'stall', fc.record({ client })),
  act(1, 'drain', fc.record({ client })),
  act(2, 'toggle', fc.record({ client, pattern: fc.constantFrom(...PATTERNS) })),
  act(1, 'meet', fc.record({ client, audience })),
  act(1, 'beat', fc.record({ client })),
  act(3, 'sweep', fc.constant({})),
  act(1, 'restart', fc.record({ lost: fc.boolean(), known: fc.nat({ max: 6 }) })),
  act(1, 'reset', fc.record({ unknown: fc.nat({ max: 3 }) })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(windowSize: number, maxTopics: number, steps: readonly Step[]) {
  const server = new ModelServer(windowSize, maxTopics);
  const pages = Array.from({ length: CLIENTS }, () => new Page(server));
  const sweep = async () => {
    await server.settled();
    for (const page of pages) page.settled();
  };
  for (const one of steps) {
    const page = pages['client' in one ? one.client : 0] as Page;
    if (one.act === 'publish') server.publish(one.topic, one.audience, server.head + 1);
    else if (one.act === 'sweep') await sweep();
    else if (one.act === 'connect') page.connected || page.connect();
    else if (one.act === 'disconnect') page.disconnect();
    else if (one.act === 'stall' || one.act === 'drain') page.stall(one.act === 'stall');
    else if (one.act === 'toggle') page.toggle(one.pattern);
    else if (one.act === 'meet') page.meet(one.audience);
    else if (one.act === 'beat') page.beat();
    else if (one.act === 'reset') server.lose(one.unknown);
    else {
      await server.settled();
      for (const each of pages) each.disconnect();
      if (one.lost) server.lose(0);
      server.boot(Math.min(one.known, windowSize));
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
  const sizes = fc.integer({ min: 1, max: 6 });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 8 }),
      fc.array(step, { maxLength: 80, size: 'max' }),
      play,
    ),
    { numRuns: runs, seed },
  );
}, 120_000);
