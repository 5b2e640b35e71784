import type { Entry } from '../journal/entry.ts';
import type { Position } from '../protocol/position.ts';
import { Frames } from './frames.ts';
import { Group, groupKey } from './group.ts';
import type { Format, Interest, Sink } from './sink.ts';
import { type Membership, Subscriber } from './subscriber.ts';
import { MAX_TOPICS } from './topic-table.ts';
import { Turns } from './turns.ts';
import { Window } from './window.ts';

/** A sweep gives the event loop back after so many milliseconds, and goes on in another turn. */
const SLICE_MS = 4;
/** The clock is read once for so many subscribers. */
const SLICE_STEP = 32;

export interface HubOptions {
  /** How many entries can be replayed. */
  windowSize: number;
  /** How many topics, each with each audience, are remembered for longer. @default 10000 */
  maxTopics?: number;
  /** Whether other processes share the history: somebody may come from one that was ahead. @default false */
  shared?: boolean;
  /** A subscriber that takes nothing of what it lacks for so long is left; 0: never. */
  stallTimeoutMs: number;
  /** Of the event loop's time, sweeps take at most so much. More than 0, and 1 at most. */
  loopShare: number;
  /** A sink that throws is taken out, ended and reported here. */
  onFault: (fault: unknown) => void;
}

/**
 * Fan-out. Each subscriber is a position in the window; a sweep sends each writable one all that it lacks, in one
 * frame. One that is not writable is skipped, and asks for a sweep by `wake` when it is.
 */
export class Hub {
  readonly #window: Window;
  readonly #membership: Membership;
  readonly #subscribers = new Set<Subscriber<unknown>>();
  readonly #frames = new Map<string, Frames<unknown>>();
  readonly #groups = new Map<string, Group<unknown>>();
  readonly #turns: Turns;
  #sweep: Iterator<Subscriber<unknown>> | undefined;
  /** Whom the sweep after that has to visit. */
  #due = new Set<Subscriber<unknown>>();
  /** How many sweeps have come to their end. */
  #sweeps = 0;
  #ended: (() => void)[] = [];

  constructor(options: HubOptions) {
    const { windowSize, maxTopics = MAX_TOPICS, shared = false } = options;
    this.#window = new Window(windowSize, maxTopics, shared);
    this.#membership = {
      window: this.#window,
      stallTimeoutMs: options.stallTimeoutMs,
      join: (format, interest) => this.#join(format, interest),
      leave: (group) => this.#leave(group),
      size: () => this.size,
      fault: options.onFault,
      wake: (subscriber) => this.#wake(subscriber as Subscriber<unknown>),
      gone: (subscriber) => this.#subscribers.delete(subscriber as Subscriber<unknown>),
    };
    this.#turns = new Turns(options.loopShare, SLICE_MS);
  }

  get position(): Position {
    return this.#window.position;
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Entries in offset order. What arrives before the next turn of the event loop leaves together. */
  deliver(entries: readonly Entry[]): void {
    for (const entry of entries) this.#window.push(entry);
    this.#visit(this.#subscribers);
  }

  /** Another history: each subscriber is told to refresh all. */
  reset(start: Position): void {
    this.#window.reset(start);
    this.#visit(this.#subscribers);
  }

  /** Adds a subscriber at the head. */
  add<Frame>(format: Format<Frame>, interest: Interest, sink: Sink<Frame>): Subscriber<Frame> {
    const subscriber = new Subscriber(this.#membership, format, interest, sink);
    this.#subscribers.add(subscriber as Subscriber<unknown>);
    return subscriber;
  }

  /** Resolves when nothing that was delivered before is under way to a writable subscriber. */
  async settled(): Promise<void> {
    // One that is under way may have passed somebody by. Waiting for the last one could last for ever.
    const enough = this.#sweeps + 2;
    while (this.#sweep && this.#sweeps < enough)
      await new Promise<void>((resolve) => this.#ended.push(resolve));
  }

  #join<Frame>(format: Format<Frame>, interest: Interest): Group<Frame> {
    const key = groupKey(format, interest);
    let group = this.#groups.get(key) as Group<Frame> | undefined;
    if (!group) {
      group = new Group(key, this.#framesOf(format), interest);
      this.#groups.set(key, group as Group<unknown>);
    }
    group.members++;
    return group;
  }

  #framesOf<Frame>(format: Format<Frame>): Frames<Frame> {
    const frames = this.#frames.get(format.name) ?? new Frames<unknown>(format);
    this.#frames.set(format.name, frames);
    return frames as Frames<Frame>;
  }

  #leave(group: Group<never>): void {
    if (--group.members === 0) this.#groups.delete(group.key);
  }

  #wake(subscriber: Subscriber<unknown>): void {
    if (this.#due !== this.#subscribers) this.#due.add(subscriber);
    this.#visit(this.#due);
  }

  #visit(due: Set<Subscriber<unknown>>): void {
    this.#due = due;
    if (!this.#sweep && due.size > 0) this.#begin();
  }

  #begin(): void {
    this.#sweep = this.#due.values();
    this.#due = new Set();
    this.#turns.take(() => this.#slice());
  }

  #slice(): void {
    const until = performance.now() + SLICE_MS;
    const sweep = this.#sweep as Iterator<Subscriber<unknown>>;
    for (let i = 1; ; i++) {
      const { value, done } = sweep.next();
      if (done) break;
      value.catchUp();
      if (i % SLICE_STEP === 0 && performance.now() > until) {
        this.#turns.take(() => this.#slice());
        return;
      }
    }
    this.#sweep = undefined;
    this.#sweeps++;
    if (this.#due.size > 0) this.#begin();
    for (const resolve of this.#ended.splice(0)) resolve();
  }
}
