import type { Position } from './position.ts';

/** What a listener receives. */
export interface Notification {
  /** `METHOD:/plugin/entity[/action]` */
  readonly topic: string;
  /** The JSON value given with the topic, if any. */
  readonly data?: unknown;
  /** How far the journal had come when it was announced; absent on the wires that have no positions. */
  readonly position?: Position;
  /** A request of the page itself was the cause, and had said so; see the client's `headers`. */
  readonly own?: true;
  /** When the listener's side had it, in milliseconds since 1970. */
  readonly time: number;
  /**
   * Absent when it is what it says. `changed`: something under this topic changed while the page was away, perhaps
   * often. `resync`: it cannot be told what changed; `topic` is the listener's pattern.
   */
  readonly replay?: 'changed' | 'resync';
}
