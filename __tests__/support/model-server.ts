import { Hub } from '../../lib/hub/hub.ts';
import type { Entry } from '../../lib/journal/entry.ts';
import { compilePattern } from '../../lib/protocol/pattern.ts';
import type { Position } from '../../lib/protocol/position.ts';
import type { Answer } from '../../lib/protocol/wire.ts';

export const TOPICS = ['POST:/a', 'POST:/b', 'DELETE:/b/c', 'PUT:/d/e'];
export const PATTERNS = ['POST:/a', '*:/b/**', 'POST:/*', '*:/**'];
export const AUDIENCES = ['x', 'y'];

export interface Wanted {
  patterns: Iterable<string>;
  audience: readonly string[];
}

/** A hub, and beside it all that ever was delivered, from which is told what a page must be told. */
export class ModelServer {
  hub!: Hub;
  epoch = 'e0';
  /** The entry with offset `n` is at `n - 1`. */
  log: Entry[] = [];
  /** Where this run of the hub begins to know. */
  start = 0;
  /** What a sink threw first: the hub keeps it from everybody else. */
  #fault: unknown;
  readonly windowSize: number;
  readonly maxTopics: number;

  constructor(windowSize: number, maxTopics: number) {
    this.windowSize = windowSize;
    this.maxTopics = maxTopics;
    this.boot(0);
  }

  get head(): number {
    return this.log.length;
  }

  /** From here on all can be replayed. */
  get floor(): number {
    return Math.max(this.start, this.head - this.windowSize);
  }

  /** From here on all topics are remembered. */
  get topicFloor(): number {
    const last = new Map<string, number>();
    for (const { topic, audience, offset } of this.log.slice(this.start))
      if (topic) last.set(`${topic} ${audience?.join()}`, offset);
    const newest = [...last.values()].sort((a, b) => b - a);
    return newest[this.maxTopics] ?? this.start;
  }

  /** A new hub, as after a restart, to which the journal hands so many entries at most. */
  boot(known: number): void {
    const kept = this.log;
    const start = Math.max(0, this.head - known);
    this.renew();
    this.reset({ epoch: this.epoch, offset: start });
    this.deliver(kept.slice(start));
  }

  /** A new hub that knows nothing yet. */
  renew(): void {
    const { windowSize, maxTopics } = this;
    this.hub = new Hub({
      windowSize,
      maxTopics,
      stallTimeoutMs: 0,
      loopShare: 1,
      onFault: (fault) => {
        this.#fault ??= fault;
      },
    });
  }

  /** What a journal says to who follows it. */
  reset({ epoch, offset }: Position): void {
    const goesOn = epoch === this.epoch && offset <= this.head;
    // What lies before the start and was not heard before is never known.
    this.log = goesOn
      ? this.log.slice(0, offset)
      : Array.from({ length: offset }, (_, i) => ({ offset: i + 1, time: 0 }));
    this.epoch = epoch;
    this.start = offset;
    this.hub.reset({ epoch, offset });
  }

  deliver(entries: readonly Entry[]): void {
    for (const entry of entries) {
      expect(entry.offset).toBe(this.head + 1);
      this.log.push(entry);
    }
    this.hub.deliver(entries);
  }

  /** Resolves when all that take data have it. */
  async settled(): Promise<void> {
    await this.hub.settled();
    if (this.#fault) throw this.#fault;
  }

  /** Another history, which begins after so many entries that nobody knows. */
  lose(unknown: number): void {
    this.reset({ epoch: `e${Number(this.epoch.slice(1)) + 1}`, offset: unknown });
  }

  publish(topic: string | undefined, audience: readonly string[] | undefined, data: unknown): Entry {
    const entry: Entry = {
      offset: this.head + 1,
      time: 0,
      ...(topic && { topic, data }),
      ...(audience && { audience }),
    };
    this.deliver([entry]);
    return entry;
  }

  /** What is said to somebody who was there, as PROTOCOL.md has it. */
  answerTo(since: Position | undefined): Answer {
    if (!since) return 'live';
    if (since.epoch !== this.epoch || since.offset > this.head) return 'resync';
    if (since.offset >= this.floor) return 'replayed';
    return since.offset >= this.topicFloor ? 'changed' : 'resync';
  }

  /** What somebody sees of the entries after `from`, up to `to`. */
  seen(wanted: Wanted, from: number, to: number): Entry[] {
    return this.log.slice(from, to).filter((entry) => sees(wanted, entry));
  }
}

export function sees({ patterns, audience }: Wanted, entry: Entry): boolean {
  if (entry.topic === undefined) return false;
  if (entry.audience && !entry.audience.some((name) => audience.includes(name))) return false;
  return [...patterns].some((pattern) => compilePattern(pattern)(entry.topic as string));
}
