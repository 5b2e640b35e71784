import type { Position } from '../protocol/position.ts';
import type { Answer } from '../protocol/wire.ts';
import type { Held } from './held.ts';

/**
 * How entries become what one kind of subscriber is sent. A frame is made once for all subscribers of one group
 * and shared by them, so nobody may change it.
 */
export interface Format<Frame> {
  /** Groups are told apart by it: one name, one way of writing. */
  readonly name: string;
  /** The frame for these entries, of which `reached` is the position after the last; nothing if none is needed. */
  encode(seen: readonly Held[], reached: Position): Frame | undefined;
}

/** The receiving end of a subscriber, as the hub sees it. */
export interface Sink<Frame> {
  /** False while the last frame is not through: the hub skips it then, and it must call `Subscriber.wake` after. */
  readonly writable: boolean;
  write(frame: Frame): void;
  /** The stream starts here, or starts anew because what it lacks cannot be replayed. */
  restart(restart: Restart): void;
  /** It has taken nothing for longer than the hub waits, and was left: end it. */
  stuck(): void;
  /** Serving it failed, and it was left: end it, so that whoever is behind it comes again. */
  failed(): void;
}

/** How a stream starts. */
export interface Restart {
  readonly answer: Answer;
  /** Where it goes on from. */
  readonly position: Position;
  /** With `changed`: each topic that changed, once. */
  readonly topics: readonly string[];
  /** With `resync`: over so many milliseconds the subscribers should spread their refreshing. */
  readonly overMs: number;
}

/** Who a subscriber is and what it wants. */
export interface Interest {
  /** Patterns; absent: every topic. */
  readonly patterns?: readonly string[];
  /** Entries with an audience are seen if it meets this one; `all`: everything, for the app itself. */
  readonly audience: readonly string[] | 'all';
}
