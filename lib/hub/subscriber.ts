import type { Position } from '../protocol/position.ts';
import type { Group } from './group.ts';
import type { Interest, Sink } from './sink.ts';
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

/** What a subscriber asks of its hub. */
export interface Membership<Frame> {
  readonly stallTimeoutMs: number;
  join(interest: Interest): Group<Frame>;
  leave(group: Group<never>): void;
  size(): number;
  fault(fault: unknown): void;
  /** Asks for a sweep. */
  wake(): void;
  gone(): void;
}

/** One receiver: a position in the window, a group and a sink. */
export class Subscriber<Frame> {
  readonly #window: Window;
  readonly #sink: Sink<Frame>;
  readonly #hub: Membership<Frame>;
  #epoch: string;
  #offset: number;
  #interest: Interest | undefined;
  #group: Group<Frame> | undefined;
  /** When it was first found to take nothing, on the clock of `performance.now`. */
  #stalledAt: number | undefined;
  #left = false;

  constructor(window: Window, sink: Sink<Frame>, hub: Membership<Frame>) {
    this.#window = window;
    this.#sink = sink;
    this.#hub = hub;
    this.#epoch = window.epoch;
    this.#offset = window.head;
  }

  /** What it has been sent, or needed not be sent. */
  get position(): Position {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  /** What it wants from here on. What it lacked until now is sent by the old interest first. */
  set interest(interest: Interest) {
    this.catchUp();
    if (!this.#left) this.#join(interest);
  }

  /** Who it is from here on. What it lacks is not for who it was. */
  set audience(audience: readonly string[]) {
    if (this.#group) this.#join({ ...this.#interest, audience });
  }

  #join(interest: Interest): void {
    const group = this.#hub.join(interest);
    if (this.#group) this.#hub.leave(this.#group as Group<never>);
    this.#group = group;
    this.#interest = interest;
  }

  /** Takes up from `since`: the sink is told the answer, then gets what it lacks. */
  resume(since: Position | undefined): void {
    if (!this.#left) this.#restart(since);
    this.catchUp();
  }

  #restart(since: Position | undefined): void {
    let answer = this.#window.answer(since);
    const from = since?.offset ?? 0;
    const topics = answer === 'changed' ? this.#group?.changed(this.#window, from) : [];
    if (!topics) answer = 'resync';
    this.#epoch = this.#window.epoch;
    this.#offset = answer === 'replayed' ? from : this.#window.head;
    const overMs = answer === 'resync' ? spreadOf(this.#hub.size()) : 0;
    this.#guard(() => this.#sink.restart({ answer, position: this.position, topics: topics ?? [], overMs }));
  }

  /** To call when the sink can take more: what it lacks follows in a turn of the hub's. */
  wake(): void {
    if (this.#isBehind()) this.#hub.wake();
  }

  /** Sends what it lacks, if it can take it. */
  catchUp(): void {
    this.#guard(() => {
      while (this.#group && this.#isBehind()) {
        if (!this.#sink.writable) {
          this.#wait();
          return;
        }
        this.#stalledAt = undefined;
        if (this.#epoch === this.#window.epoch && this.#offset >= this.#window.floor) this.#send(this.#group);
        else this.#restart(this.position);
      }
    });
  }

  #isBehind(): boolean {
    return this.#epoch !== this.#window.epoch || this.#offset < this.#window.head;
  }

  #send(group: Group<Frame>): void {
    const { frame, reached } = group.frame(this.#window, this.#offset);
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
    if (this.#left) return;
    this.#left = true;
    if (this.#group) this.#hub.leave(this.#group as Group<never>);
    this.#group = undefined;
    this.#hub.gone();
  }

  /** One that is left and stays open would take its silence for nothing new. */
  #fail(): void {
    try {
      this.#sink.failed();
    } catch {
      // What cannot take a frame need not be able to end either.
    }
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (fault) {
      this.leave();
      this.#hub.fault(fault);
      this.#fail();
    }
  }
}
