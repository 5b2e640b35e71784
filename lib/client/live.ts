import type { Notification } from '../protocol/notification.ts';
import type { Position } from '../protocol/position.ts';
import type { ListenOptions } from './listeners.ts';

/**
 * How it stands with the server. `connecting`: an attempt is under way; `live`: the server has answered; `waiting`:
 * until the next attempt; `closed`: by `close()`, or because the server refused for good.
 */
export type State = 'connecting' | 'live' | 'waiting' | 'closed';

/** What a connection needs of a WebSocket: the browser's has it, Node's own, and that of `ws`. */
export interface WebSocketLike {
  readonly protocol: string;
  readonly readyState: number;
  close(code?: number): void;
}

export interface ReconnectOptions {
  /** The longest wait before the first retry, in milliseconds; doubled with each failure. @default 1000 */
  minMs?: number;
  /** The longest wait of all, in milliseconds. @default 30000 */
  maxMs?: number;
}

export interface ConnectOptions {
  /** Where the server is; `http`, `https` and what is relative to the page are taken too. @default '/websockify' */
  url?: string;
  /** The `token` in the URL, if `url` has none. @default that of the notifications */
  token?: string;
  /** The class to connect with, where there is no global one. @default globalThis.WebSocket */
  WebSocket?: new (
    url: string,
    protocols: string[],
  ) => WebSocketLike;
  /**
   * Each wait is random, from 0 to a limit that grows with each failure; in a hidden page the limit is `maxMs` at
   * once. A page that is seen again, comes back or is online again does not wait any longer.
   */
  reconnect?: ReconnectOptions;
  /**
   * How often to say `heartbeat`, in milliseconds; after 1.5 times that in silence the connection is taken for dead.
   * MUST NOT be less than the server's. @default 30000
   */
  heartbeatMs?: number;
}

/** A connection to the notifications that mends itself. */
export interface Live {
  readonly state: State;
  /** Up to where everything was received; nothing before the first answer and on the wires without positions. */
  readonly position: Position | undefined;

  /** Calls `listener` with each new state. Returns the undo. */
  on(name: 'state', listener: (state: State) => void, options?: ListenOptions): () => void;
  /**
   * Calls `listener` when it cannot be told what was missed: refresh everything. When the server asks for it, some
   * time after it is `live` again, a random one, so that not all pages refresh at once. Returns the undo.
   */
  on(name: 'resync', listener: () => void, options?: ListenOptions): () => void;
  /**
   * Calls `listener` with each notification that the pattern names: a topic with `*` for one segment or any method,
   * and a last `**` for all that follows. The same function twice on a pattern is called once. After an absence it
   * may be called once with `replay: 'changed'` or `'resync'`. Returns the undo.
   *
   * @throws Error when the pattern is malformed
   */
  on(pattern: string, listener: (notification: Notification) => void, options?: ListenOptions): () => void;

  /**
   * As in WoK: calls `listener` with the topic whenever exactly that is announced, until the page's hash or URL
   * changes; with `persist`, until it is undone. Returns the undo.
   */
  addNotificationListener(topic: string, listener: (topic: string) => void, persist?: boolean): () => void;

  /**
   * What a request has to say, for the server to know that this page made it: spread it into the headers of `fetch`
   * and others. Listeners with `own: false` are then not called with what the request caused.
   */
  headers(): Record<string, string>;

  /** Ends the connection, the timers and all listeners. Idempotent. */
  close(): void;
}
