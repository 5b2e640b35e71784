import type { Journal } from '../../lib/journal/journal.ts';
import type { ReqcastError } from '../../lib/protocol/errors.ts';
import { ModelServer, TOPICS } from './model-server.ts';
import { until } from './server.ts';
import type { SharedHistory } from './shared-history.ts';

/** Who published an entry, and as which of its own. */
interface Mark {
  readonly by: 'here' | 'elsewhere';
  readonly n: number;
}

/** The model's server over a real journal, which another process shares. */
export class SharedServer extends ModelServer {
  readonly #history: SharedHistory;
  #journal!: Journal;
  #state: 'up' | 'dead' | 'paused' = 'up';
  #published = { here: 0, elsewhere: 0 };
  /** Whatever was published here up to this one may be gone. */
  #forgotten = 0;
  /** Something befell the journal, and it was not seen to be well again. */
  #shaken = false;
  /** How often the history was lost. */
  #losses = 0;
  /** How often a process began while nobody may have vouched for the history. */
  #unvouched = 0;
  /** It was, and the journal does not know yet. */
  #isLost = false;
  readonly #epochs = new Set<string>();
  #wrong: unknown;
  #beforeMore: () => void = () => {};

  private constructor(history: SharedHistory, windowSize: number, maxTopics: number) {
    super(windowSize, maxTopics);
    this.#history = history;
  }

  static async open(history: SharedHistory, windowSize: number, maxTopics: number): Promise<SharedServer> {
    const server = new SharedServer(history, windowSize, maxTopics);
    await server.#open(0);
    return server;
  }

  /** @param beforeMore called before the history goes on, which here it does between the steps too */
  watch(beforeMore: () => void): void {
    this.#beforeMore = beforeMore;
  }

  async #open(known: number): Promise<void> {
    this.renew();
    this.#journal = this.#history.journal();
    await this.#journal.open(
      {
        reset: (start) => {
          if (!this.#epochs.has(start.epoch)) this.#begun();
          this.#epochs.add(start.epoch);
          this.#beforeMore();
          this.reset(start);
        },
        deliver: (entries) => {
          this.#beforeMore();
          this.deliver(entries);
        },
        fault: (error) => this.#fault(error),
      },
      known,
    );
  }

  /** Where a loss is noticed afterwards, what was added meanwhile lies before the epoch. */
  #begun(): void {
    this.#isLost = false;
    if (!this.#history.noticesAtOnce && this.#losses > 0) this.#forgotten = this.#published.here;
  }

  #fault(error: ReqcastError): void {
    if (error.code === 'JOURNAL_UNREACHABLE') return;
    // Closing does not wait until what is broken is whole.
    if (error.code === 'JOURNAL_WRITE_FAILED' && this.#shaken) this.#forgotten = this.#published.here;
    else this.#wrong ??= error.cause ?? error;
  }

  append(topic: string | undefined, audience: readonly string[] | undefined): void {
    const data: Mark = { by: 'here', n: ++this.#published.here };
    this.#journal.append({ time: 0, ...(topic && { topic }), data, ...(audience && { audience }) });
  }

  appendElsewhere(): void {
    const data: Mark = { by: 'elsewhere', n: ++this.#published.elsewhere };
    this.#history.publish({ time: 0, topic: TOPICS[data.n % TOPICS.length] as string, data });
  }

  async kill(): Promise<void> {
    if (this.#state === 'dead') return;
    this.#shaken = true;
    this.#state = 'dead';
    await this.#history.kill();
  }

  pause(): void {
    if (this.#state !== 'up') return;
    this.#shaken = true;
    this.#state = 'paused';
    this.#history.signal('SIGSTOP');
  }

  /** Nothing is dead or frozen any more. */
  async heal(): Promise<void> {
    if (this.#state === 'dead') await this.#history.start();
    if (this.#state === 'paused') this.#history.signal('SIGCONT');
    this.#state = 'up';
  }

  /** The history is gone while it is followed. */
  async forget(): Promise<void> {
    if (this.#history.losesAlive) await this.#lose();
  }

  async #lose(): Promise<void> {
    await this.heal();
    this.#shaken = true;
    await this.#history.lose();
    this.#forgotten = this.#published.here;
    this.#losses++;
    this.#isLost = !this.#history.noticesAtOnce;
  }

  /** This process ends, and is followed by another that asks for so many entries. */
  async restart(lost: boolean, known: number): Promise<void> {
    await this.heal();
    await this.#journal.close();
    if (lost) await this.#lose();
    else if (this.#shaken && this.#history.needsVouching) this.#unvouched++;
    await this.#open(known);
  }

  /** What was published here is in the journal, unless that is dead or frozen. */
  override async settled(): Promise<void> {
    if (this.#state === 'up') {
      await until(async () => {
        await this.#journal.flush();
        const { waiting, connected } = this.#journal.stats();
        return this.#wrong || (connected && waiting === 0);
      });
      this.#shaken = false;
    }
    await super.settled();
    if (this.#wrong) throw this.#wrong;
  }

  /** All is well again, and what was published is there, once and in order. */
  async whole(): Promise<void> {
    await this.heal();
    await this.settled();
    await until(() => !this.#isLost);
    await this.settled();
    // A process that came later was handed the newest ones only.
    const marks: Mark[] = [];
    for await (const { data } of this.#journal.query()) marks.unshift(data as Mark);
    for (const who of ['here', 'elsewhere']) {
      const heard = marks.filter(({ by }) => by === who).map(({ n }) => n);
      expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
    }
    const here = marks.filter(({ by, n }) => by === 'here' && n > this.#forgotten).map(({ n }) => n);
    const due = this.#published.here - this.#forgotten;
    expect(here).toEqual(Array.from({ length: due }, (_, i) => this.#forgotten + 1 + i));
    // Both processes may begin one when they come upon a loss at once.
    expect(this.#epochs.size).toBeLessThanOrEqual(1 + 2 * this.#losses + this.#unvouched);
  }

  async end(): Promise<void> {
    await this.#journal.close();
    await this.#history.end();
  }
}
