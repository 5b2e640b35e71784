import type { Position } from '../protocol/position.ts';
import type { Answer } from '../protocol/wire.ts';
import type { Group, Told } from './group.ts';
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

/** Changes that are on their way to a reader together; of more the oldest are forgotten, and may be told twice. */
const MAX_TOLD = 8;

/** What a reader came to want when part of it had passed. */
interface Late {
  readonly patterns: readonly string[];
  /** The offset up to where it knew of everything by then. */
  readonly from: number;
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
  /** Where its stream began, or began anew. */
  #begunAt = 0;
  /** By whom it was served what may still be on its way. */
  #told: readonly Told[] | undefined;
  /** What is still to be told of what was wanted late. */
  #late: Late | undefined;
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

  /** Whether it is still to be sent what it came to want late. */
  get owes(): boolean {
    return this.#late !== undefined;
  }

  /** What it wants; nothing once it has left. */
  get interest(): Interest | undefined {
    return this.#group?.interest;
  }

  /**
   * What it wants from here on. What it lacked until now is sent by the old interest first.
   *
   * @param added of its patterns those that count from `since` on, or, if that is not known here, from where its stream
   * began: what passed meanwhile is sent too
   */
  want(interest: Interest, added: readonly string[] = [], since?: Position): void {
    this.catchUp();
    const group = this.#group;
    if (!group) return;
    const from = Math.max(this.#begunAt, since?.epoch === this.#epoch ? since.offset : 0);
    // While something is owed nothing was told meanwhile.
    if (!this.#late) {
      const told = this.#told?.filter(({ to }) => to > from) ?? [];
      this.#told = [...told, { group: group as Group<unknown>, to: this.#offset }].slice(-MAX_TOLD);
    }
    this.#join(group, interest);
    if (added.length === 0 || from >= this.#offset) return;
    const { patterns = [], from: before = from } = this.#late ?? {};
    this.#late = { patterns: [...patterns, ...added], from: Math.min(before, from) };
    this.catchUp();
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
    if (!this.#late) this.#told = undefined;
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
    // `changed` says nothing to those who come to want something while it is on its way.
    if (answer !== 'changed') this.#begunAt = offset;
    this.#told = undefined;
    this.#late = undefined;
    const overMs = answer === 'resync' ? spreadOf(this.#hub.size()) : 0;
    this.#sink.restart({ answer, position: this.position, topics, overMs });
  }

  /** To call when the sink can take more: what it lacks follows in a turn of the hub's. */
  wake(): void {
    if (this.#lacks()) this.#hub.wake(this);
  }

  /** Sends what it lacks, if it can take it. */
  catchUp(): void {
    try {
      while (this.#group && this.#lacks()) {
        if (!this.#sink.writable) {
          this.#wait();
          return;
        }
        this.#stalledAt = undefined;
        const { window } = this.#hub;
        const from = this.#late?.from ?? this.#offset;
        if (this.#epoch !== window.epoch || from < window.floor)
          this.#restart(this.#group, { epoch: this.#epoch, offset: from });
        else if (this.#late) this.#sendLate(this.#group, this.#late, window);
        else this.#send(this.#group, window);
      }
    } catch (fault) {
      this.#fail(fault);
    }
  }

  #lacks(): boolean {
    const { window } = this.#hub;
    return this.#late !== undefined || this.#epoch !== window.epoch || this.#offset < window.head;
  }

  #send(group: Group<Frame>, window: Window): void {
    const { frame, reached } = group.frame(window, this.#offset);
    this.#offset = reached;
    if (frame !== undefined) this.#sink.write(frame);
  }

  #sendLate(group: Group<Frame>, { patterns, from }: Late, window: Window): void {
    this.#late = undefined;
    const asked = group.only(patterns);
    const missed = asked.missed(window, from, this.#offset, this.#told ?? []);
    if (missed?.frame !== undefined) this.#sink.write(missed.frame);
    if (missed) return;
    const topics = asked.topics(window, from, this.#offset);
    if (topics) this.#tell('changed', topics, this.#offset);
    else this.#tell('resync', []);
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
