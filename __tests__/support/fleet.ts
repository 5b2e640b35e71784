import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { bundle } from './child.ts';
import { RawClient } from './raw.ts';
import { afterwards } from './server.ts';

/** What all that was ever received says together. */
export class Truth {
  /** The line at each place, `<epoch>:<offset>`, that somebody saw there first. */
  readonly lines = new Map<string, string>();
  /** The first thing that was wrong. */
  wrong: string | undefined;

  /** Somebody saw this line there; all who see a place must see the same. */
  saw(epoch: string, offset: number, line: string): void {
    const place = `${epoch}:${offset}`;
    const known = this.lines.get(place);
    if (known === undefined) this.lines.set(place, line);
    else if (known !== line) this.wrong ??= `at ${place} ${known} and ${line}`;
  }

  get epochs(): Set<string> {
    return new Set([...this.lines.keys()].map((place) => placeOf(place).epoch));
  }

  /** The numbers of what each run published, in the order of the journal: by the epoch, then by the offset. */
  runs(): Map<string, number[]> {
    const order = [...this.epochs];
    const places = [...this.lines].map(([place, line]) => ({ ...placeOf(place), line }));
    places.sort((a, b) => order.indexOf(a.epoch) - order.indexOf(b.epoch) || a.offset - b.offset);
    const runs = new Map<string, number[]>();
    for (const { line } of places) {
      const { run, n } = JSON.parse(line.slice(line.indexOf(' '))) as { run: string; n: number };
      if (!runs.has(run)) runs.set(run, []);
      runs.get(run)?.push(n);
    }
    return runs;
  }
}

function placeOf(text: string): { epoch: string; offset: number } {
  const [epoch, offset] = text.split(':') as [string, string];
  return { epoch, offset: Number(offset) };
}

/** A page that goes to another node when its own is gone, and holds each frame against its last position. */
export class Page {
  /** Up to where it has everything. */
  position = '-';
  /** What was said instead of what was missed. */
  readonly answers: string[] = [];
  #client!: RawClient;
  readonly #truth: Truth;
  readonly #portOf: () => number;
  #left = false;

  constructor(truth: Truth, portOf: () => number) {
    this.#truth = truth;
    this.#portOf = portOf;
    afterwards(() => this.leave());
    this.#connect();
  }

  leave(): void {
    this.#left = true;
    this.#client.socket.destroy();
  }

  #connect(): void {
    this.#client = new RawClient(this.#portOf());
    this.#client.onText = (text) => this.#read(text);
    this.#client.say(`since ${this.position}\n+*:/**`);
    this.#client.socket.once('close', () => {
      // Not all at once, and not in the turn in which the node died.
      if (!this.#left) setTimeout(() => this.#left || this.#connect(), 10 + Math.random() * 50);
    });
  }

  #read(text: string): void {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('bye'));
    const [at, answer] = (lines[0] ?? '').slice(1).split(' ') as [string, string | undefined];
    if (lines[0]?.startsWith('@') && answer) this.#start(at, answer);
    else if (lines.length > 0) this.#take(lines);
  }

  #start(at: string, answer: string): void {
    const asked = this.position !== '-';
    if (answer === 'replayed' ? at !== this.position : answer === 'live' && asked)
      this.#truth.wrong ??= `${answer} at ${at} after ${this.position}`;
    if (answer === 'changed' || answer === 'resync') this.answers.push(answer);
    this.position = at;
  }

  #take(lines: readonly string[]): void {
    const said = (lines.at(-1) as string).slice(1);
    const [from, to] = [placeOf(this.position), placeOf(said)];
    const topics = lines.slice(0, -1);
    if (from.epoch !== to.epoch || to.offset - from.offset !== topics.length)
      this.#truth.wrong ??= `${topics.length} lines from ${this.position} to ${said}`;
    for (const [i, line] of topics.entries()) this.#truth.saw(to.epoch, from.offset + 1 + i, line);
    this.position = said;
  }
}

/** A process of `fleet-node.ts`. */
export class FleetNode {
  readonly run: string;
  port = 0;
  readonly #child: ChildProcess;

  private constructor(kind: string, at: string, run: string) {
    this.run = run;
    this.#child = spawn(process.execPath, [bundle('fleet-node.ts'), kind, at, run], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    afterwards(() => this.kill());
  }

  static async start(kind: string, at: string, run: string): Promise<FleetNode> {
    const node = new FleetNode(kind, at, run);
    const [{ port }] = (await once(node.#child, 'message')) as [{ port: number }];
    node.port = port;
    return node;
  }

  /** It publishes nothing more. Gives how much it had. */
  async stop(): Promise<number> {
    this.#child.send('stop');
    const [{ published }] = (await once(this.#child, 'message')) as [{ published: number }];
    return published;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
