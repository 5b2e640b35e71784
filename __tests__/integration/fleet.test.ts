import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/directory.ts';
import type { EngineServer } from '../support/engine-server.ts';
import { FleetNode, Page, Truth } from '../support/fleet.ts';
import { NatsServer, testWithNats } from '../support/nats.ts';
import { RedisServer, testWithRedis } from '../support/redis.ts';
import { until } from '../support/server.ts';

/**
 * Three nodes that all publish, over one journal, and pages that go from one to the other, while nodes and what keeps the
 * journal die: each frame must bring exactly what lies between two positions, and all who see a place must see the same
 * there; or an answer says that something was missed.
 */
const NODES = 3;
const PAGES = Number(process.env.FLEET_PAGES ?? 200);
/** So much must be heard by somebody between one accident and the next. */
const CALM_ENTRIES = 40;
/** Shorter than what is waited for an answer, and longer. */
const PAUSE_MS = 500;
const FREEZE_MS = 3_500;

/** Where the entries of a journal are kept, and what can befall it. */
interface Engine {
  readonly kind: string;
  readonly at: string;
  kill?(): Promise<void>;
  start?(): Promise<void>;
  signal?(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

function engineOf(kind: string, server: EngineServer & { start(): Promise<void> }): Engine {
  return {
    kind,
    at: String(server.port),
    kill: () => server.kill(),
    start: () => server.start(),
    signal: (signal) => server.signal(signal),
  };
}

const redis = async (...args: string[]) => engineOf('redis', await RedisServer.forTest(...args));
const durable = () => redis('--appendonly', 'yes', '--appendfsync', 'always');
const nats = async () => engineOf('nats', await NatsServer.forTest());

/** It comes back with nothing. */
async function forgetful(): Promise<Engine> {
  const server = await NatsServer.forTest();
  const kill = async () => {
    await server.kill();
    rmSync(server.directory, { recursive: true });
  };
  return { ...engineOf('nats', server), kill };
}

const host = async (): Promise<Engine> => ({ kind: 'host', at: join(temporaryDirectory(), 'host') });

class Fleet {
  readonly truth = new Truth();
  readonly pages: Page[] = [];
  readonly nodes: FleetNode[] = [];
  readonly engine: Engine;
  #runs = 0;
  #turn = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  async open(): Promise<void> {
    for (let i = 0; i < NODES; i++) this.nodes.push(await this.#start());
    const next = () => this.nodes[++this.#turn % this.nodes.length]?.port as number;
    for (let i = 0; i < PAGES; i++) this.pages.push(new Page(this.truth, next));
    await until(() => this.pages.every(({ position }) => position !== '-'));
    await this.calm();
  }

  #start(): Promise<FleetNode> {
    return FleetNode.start(this.engine.kind, this.engine.at, `run${++this.#runs}`);
  }

  /** Until all hear again what is published from here on. */
  async calm(): Promise<void> {
    const positions = this.pages.map(({ position }) => position);
    const enough = this.truth.lines.size + CALM_ENTRIES;
    await until(
      () =>
        this.truth.wrong ||
        (this.truth.lines.size > enough && this.pages.every(({ position }, i) => position !== positions[i])),
    );
  }

  /** A node dies; its pages are on the others before there is a new one. */
  async killNode(): Promise<void> {
    await this.nodes.shift()?.kill();
    await this.calm();
    this.nodes.push(await this.#start());
  }

  /** One accident after the other. */
  async suffer(
    accidents: readonly ('killNode' | 'killEngine' | 'pauseEngine' | 'freezeEngine')[],
  ): Promise<void> {
    for (const accident of accidents) {
      await this[accident]();
      await this.calm();
      expect([accident, this.truth.wrong]).toEqual([accident, undefined]);
    }
  }

  /** Where one of the nodes keeps the journal, it is that one. */
  async killEngine(): Promise<void> {
    if (!this.engine.kill) return this.killNode();
    await this.engine.kill();
    // Somebody publishes while there is nobody who could keep it.
    await new Promise((done) => setTimeout(done, 200));
    await this.engine.start?.();
  }

  pauseEngine(): Promise<void> {
    return this.#stop(PAUSE_MS);
  }

  freezeEngine(): Promise<void> {
    return this.#stop(FREEZE_MS);
  }

  async #stop(ms: number): Promise<void> {
    this.#signal('SIGSTOP');
    await new Promise((done) => setTimeout(done, ms));
    this.#signal('SIGCONT');
  }

  /** Where one of the nodes keeps the journal, the oldest one does. */
  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.engine.signal) this.engine.signal(signal);
    else this.nodes[0]?.signal(signal);
  }

  /**
   * Publishing ends, and all come to the same place, where all was heard that the runs that are left have published.
   * What a node has in the journal, pages hear of a little later.
   */
  async settle(): Promise<void> {
    const published = new Map<string, number>();
    await Promise.all(
      this.nodes.map(async (node) => {
        published.set(node.run, await node.stop());
      }),
    );
    await until(() => this.truth.wrong || (this.#together() && this.#heard(published)));
  }

  #together(): boolean {
    return new Set(this.pages.map(({ position }) => position)).size === 1;
  }

  #heard(published: ReadonlyMap<string, number>): boolean {
    const runs = this.truth.runs();
    return [...published].every(([run, n]) => runs.get(run)?.at(-1) === n);
  }
}

/** Another journal is another row. */
const LOSING_NOTHING = [
  ['redis', durable, testWithRedis],
  ['nats', nats, testWithNats],
  ['host', host, test],
] as const;

for (const [kind, open, testWhereThere] of LOSING_NOTHING)
  testWhereThere(
    `over ${kind} that loses nothing, each page hears each thing once, whatever is killed`,
    async () => {
      const fleet = new Fleet(await open());
      await fleet.open();
      await fleet.suffer(['killNode', 'freezeEngine', 'killEngine', 'killNode', 'killEngine']);
      await fleet.settle();
      expect(fleet.truth.wrong).toBeUndefined();
      expect(fleet.pages.flatMap(({ answers }) => answers)).toEqual([]);
      expect(fleet.truth.epochs.size).toBe(1);
      // Of a run that was killed the end may be missing, of the others nothing.
      for (const heard of fleet.truth.runs().values())
        expect(heard).toEqual(heard.map((_, i) => (heard[0] as number) + i));
    },
    60_000,
  );

const FORGETTING = [
  ['redis', () => redis(), testWithRedis],
  ['nats', forgetful, testWithNats],
] as const;

for (const [kind, open, testWhereThere] of FORGETTING)
  testWhereThere(
    `over ${kind} that forgets all when it is killed, each page is told to refresh, and all agree in the end`,
    async () => {
      const fleet = new Fleet(await open());
      await fleet.open();
      await fleet.suffer(['killEngine', 'killNode', 'pauseEngine', 'killEngine']);
      await fleet.settle();
      expect(fleet.truth.wrong).toBeUndefined();
      for (const { answers } of fleet.pages) expect(answers).toContain('resync');
      // What was kept is told once, also to those who saw it in an epoch before.
      for (const heard of fleet.truth.runs().values())
        expect(heard).toEqual([...heard].sort((a, b) => a - b));
    },
    60_000,
  );
