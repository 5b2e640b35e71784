import type { Position } from '../protocol/position.ts';
import type { Answer } from '../protocol/wire.ts';
import type { Group } from './group.ts';
import type { Format, Interest, Sink } from './sink.ts';
import type { Window } from './window.ts';

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

/** What subscribers ask of their hub. */
export interface Membership {
  readonly window: Window;
  readonly stallTimeoutMs: number;
  join<Frame>(format: Format<Frame>, interest: Interest): Group<Frame>;
  leave(group: Group<never>): void;
  size(): number;
  fault(fault: unknown): void;
  /** Asks for a sweep. */
  wake(subscriber: unknown): void;
  gone(subscriber: unknown): void;
}

/** One receiver: a position in the window, a group and a sink. */
export class Subscriber<Frame> {
  readonly #hub: Membership;
  readonly #sink: Sink<Frame>;
  #epoch: string;
  #offset: number;
  /** Nothing once it has left. */
  #group: Group<Frame> | undefined;
  /** When it was first found to take nothing, on the clock of `performance.now`. */
  #stalledAt: number | undefined;

  constructor(hub: Membership, format: Format<Frame>, interest: Interest, sink: Sink<Frame>) {
    this.#hub = hub;
    this.#sink = sink;
    this.#epoch = hub.window.epoch;
    this.#offset = hub.window.head;
    this.#group = hub.join(format, interest);
  }

  /** What it has been sent, or needed not be sent. */
  get position(): Position {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  /** What it wants; nothing once it has left. */
  get interest(): Interest | undefined {
    return this.#group?.interest;
  }

  /** What it wants from here on. What it lacked until now is sent by the old interest first. */
  set interest(interest: Interest) {
    this.catchUp();
    if (this.#group) this.#join(this.#group, interest);
  }

  /** Who it is from here on. What it lacks is not for who it was. */
  set audience(audience: readonly string[]) {
    if (this.#group) this.#join(this.#group, { ...this.#group.interest, audience });
  }

  #join(from: Group<Frame>, interest: Interest): void {
    this.#group = this.#hub.join(from.format, interest);
    this.#hub.leave(from as Group<never>);
  }

  /** Takes up from `since`: the sink is told the answer, then gets what it lacks. */
  resume(since: Position | undefined): void {
    try {
      if (this.#group) this.#restart(this.#group, since);
    } catch (fault) {
      this.#fail(fault);
    }
    this.catchUp();
  }

  /**
   * To call now and then. One that came from where more was known waits for it here, but not for ever: what has not
   * come from one call to the next was lost.
   */
  expect(): void {
    const { window } = this.#hub;
    if (!this.#group || this.#epoch !== window.epoch || this.#offset <= window.head) return;
    if (this.#stalledAt === undefined) this.#stalledAt = performance.now();
    else {
      this.#stalledAt = undefined;
      this.#tell('resync', []);
    }
  }

  #restart(group: Group<Frame>, since: Position | undefined): void {
    const { window } = this.#hub;
    const answer = window.answer(since);
    const from = since?.offset ?? 0;
    const topics = answer === 'changed' ? group.changed(window, from) : [];
    if (topics) this.#tell(answer, topics, answer === 'replayed' ? from : window.head);
    else this.#tell('resync', []);
  }

  #tell(answer: Answer, topics: readonly string[], offset = this.#hub.window.head): void {
    this.#epoch = this.#hub.window.epoch;
    this.#offset = offset;
    const overMs = answer === 'resync' ? spreadOf(this.#hub.size()) : 0;
    this.#sink.restart({ answer, position: this.position, topics, overMs });
  }

  /** To call when the sink can take more: what it lacks follows in a turn of the hub's. */
  wake(): void {
    if (this.#isBehind()) this.#hub.wake(this);
  }

  /** Sends what it lacks, if it can take it. */
  catchUp(): void {
    try {
      while (this.#group && this.#isBehind()) {
        if (!this.#sink.writable) {
          this.#wait();
          return;
        }
        this.#stalledAt = undefined;
        const { window } = this.#hub;
        if (this.#epoch === window.epoch && this.#offset >= window.floor) this.#send(this.#group, window);
        else this.#restart(this.#group, this.position);
      }
    } catch (fault) {
      this.#fail(fault);
    }
  }

  #isBehind(): boolean {
    const { window } = this.#hub;
    return this.#epoch !== window.epoch || this.#offset < window.head;
  }

  #send(group: Group<Frame>, window: Window): void {
    const { frame, reached } = group.frame(window, this.#offset);
    this.#offset = reached;
    if (frame !== undefined) this.#sink.write(frame);
  }

  #wait(): void {
    const now = performance.now();
    this.#stalledAt ??= now;
    const { stallTimeoutMs } = this.#hub;
    if (stallTimeoutMs === 0 || now - this.#stalledAt < stallTimeoutMs) return;
    this.leave();
    this.#sink.stuck();
  }

  /** Nothing more is sent. Idempotent. */
  leave(): void {
    if (!this.#group) return;
    this.#hub.leave(this.#group as Group<never>);
    this.#group = undefined;
    this.#hub.gone(this);
  }

  /** One that is left and stays open would take its silence for nothing new. */
  #fail(fault: unknown): void {
    this.leave();
    this.#hub.fault(fault);
    try {
      this.#sink.failed();
    } catch {
      // What cannot take a frame need not be able to end either.
    }
  }
}
