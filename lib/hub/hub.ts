import type { Entry } from '../journal/entry.ts';
import type { Position } from '../protocol/position.ts';
import { Group, groupKey } from './group.ts';
import type { Format, Interest, Sink } from './subscriber.ts';
import { Window } from './window.ts';

/** A sweep gives the event loop back after so many milliseconds, and goes on in the next turn. */
const SLICE_MS = 4;
/** The clock is read once for so many subscribers. */
const SLICE_STEP = 32;

/** Refreshing takes a page a request or more; so the host is asked for about a thousand pages a second. */
const SPREAD_MS_PER_SUBSCRIBER = 1;
/** Nobody is left stale for longer. */
const MAX_SPREAD_MS = 60_000;

/** Below this many milliseconds spreading is not worth a timer. */
const MIN_SPREAD_MS = 100;

function spreadOf(subscribers: number): number {
  const ms = Math.min(subscribers * SPREAD_MS_PER_SUBSCRIBER, MAX_SPREAD_MS);
  return ms < MIN_SPREAD_MS ? 0 : ms;
}

export interface HubOptions {
  /** How many entries can be replayed. */
  windowSize: number;
  /** A sink that throws is taken out and reported here. */
  onFault: (fault: unknown) => void;
}

/**
 * Fan-out. Each subscriber is a position in the window; a sweep sends each writable one all that it lacks, in one
 * frame. One that is not writable is skipped and calls `wake` when it is.
 */
export class Hub {
  readonly #window: Window;
  readonly #onFault: (fault: unknown) => void;
  readonly #subscribers = new Set<Subscriber<unknown>>();
  readonly #groups = new Map<string, Group<unknown>>();
  #sweep: Iterator<Subscriber<unknown>> | undefined;
  #again = false;

  constructor(options: HubOptions) {
    this.#window = new Window(options.windowSize);
    this.#onFault = options.onFault;
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
    this.#schedule();
  }

  /** Another history: each subscriber is told to refresh all. */
  reset(start: Position): void {
    this.#window.reset(start);
    for (const subscriber of this.#subscribers) subscriber.resume({ epoch: '', offset: 0 });
  }

  /** Adds a subscriber at the head. */
  add<Frame>(format: Format<Frame>, interest: Interest, sink: Sink<Frame>): Subscriber<Frame> {
    const subscriber = new Subscriber<Frame>(this.#window, sink, {
      join: (wanted) => this.#join(format, wanted),
      size: () => this.#subscribers.size,
      leave: (group) => this.#leave(group),
      fault: (fault) => {
        this.#subscribers.delete(subscriber as Subscriber<unknown>);
        this.#onFault(fault);
      },
      gone: () => this.#subscribers.delete(subscriber as Subscriber<unknown>),
    });
    subscriber.interest = interest;
    this.#subscribers.add(subscriber as Subscriber<unknown>);
    return subscriber;
  }

  /** Resolves when nothing is under way to a writable subscriber. */
  async settled(): Promise<void> {
    while (this.#sweep) await new Promise((resolve) => setImmediate(resolve));
  }

  #join<Frame>(format: Format<Frame>, interest: Interest): Group<Frame> {
    const key = groupKey(format, interest);
    let group = this.#groups.get(key) as Group<Frame> | undefined;
    if (!group) {
      group = new Group(key, format, interest);
      this.#groups.set(key, group as Group<unknown>);
    }
    group.members++;
    return group;
  }

  #leave(group: Group<never>): void {
    if (--group.members === 0) this.#groups.delete(group.key);
  }

  #schedule(): void {
    if (this.#sweep) {
      this.#again = true;
      return;
    }
    this.#sweep = this.#subscribers.values();
    setImmediate(() => this.#slice());
  }

  #slice(): void {
    const until = performance.now() + SLICE_MS;
    const sweep = this.#sweep as Iterator<Subscriber<unknown>>;
    for (let i = 1; ; i++) {
      const { value, done } = sweep.next();
      if (done) break;
      value.wake();
      if (i % SLICE_STEP === 0 && performance.now() > until) {
        setImmediate(() => this.#slice());
        return;
      }
    }
    this.#sweep = undefined;
    if (!this.#again) return;
    this.#again = false;
    this.#schedule();
  }
}

/** What a subscriber asks of its hub. */
interface Membership<Frame> {
  join(interest: Interest): Group<Frame>;
  leave(group: Group<never>): void;
  size(): number;
  fault(fault: unknown): void;
  gone(): void;
}

/** One receiver: a position in the window, a group and a sink. */
export class Subscriber<Frame> {
  readonly #window: Window;
  readonly #sink: Sink<Frame>;
  readonly #hub: Membership<Frame>;
  #offset: number;
  #group: Group<Frame> | undefined;

  constructor(window: Window, sink: Sink<Frame>, hub: Membership<Frame>) {
    this.#window = window;
    this.#sink = sink;
    this.#hub = hub;
    this.#offset = window.head;
  }

  /** What it has been sent, or needed not be sent. */
  get position(): Position {
    return { epoch: this.#window.position.epoch, offset: this.#offset };
  }

  /** What it wants from here on. What it lacked until now is sent by the old interest first. */
  set interest(interest: Interest) {
    if (this.#group) this.wake();
    const group = this.#hub.join(interest);
    if (this.#group) this.#hub.leave(this.#group as Group<never>);
    this.#group = group;
  }

  /** Takes up from `since`: the sink is told the answer, then gets what it lacks. */
  resume(since: Position | undefined): void {
    let answer = this.#window.answer(since);
    const from = since?.offset ?? 0;
    const topics = answer === 'changed' ? this.#group?.changed(this.#window, from) : [];
    if (!topics) answer = 'resync';
    this.#offset = answer === 'replayed' ? from : this.#window.head;
    const overMs = answer === 'resync' ? spreadOf(this.#hub.size()) : 0;
    this.#guard(() => this.#sink.restart({ answer, position: this.position, topics: topics ?? [], overMs }));
    this.wake();
  }

  /** Sends what it lacks, if it can take it. */
  wake(): void {
    this.#guard(() => {
      while (this.#group && this.#offset < this.#window.head && this.#sink.writable) {
        if (this.#offset < this.#window.floor) {
          this.resume(this.position);
          return;
        }
        const { frame, reached } = this.#group.frame(this.#window, this.#offset);
        this.#offset = reached;
        if (frame !== undefined) this.#sink.write(frame);
      }
    });
  }

  /** Nothing more is sent. Idempotent. */
  leave(): void {
    if (!this.#group) return;
    this.#hub.leave(this.#group as Group<never>);
    this.#group = undefined;
    this.#hub.gone();
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (fault) {
      this.leave();
      this.#hub.fault(fault);
    }
  }
}
