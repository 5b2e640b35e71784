import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Entry } from '../journal/entry.ts';
import type { JournalStats } from '../journal/journal.ts';
import type { Query } from '../journal/query.ts';
import type { Notification } from '../protocol/notification.ts';
import type { Position } from '../protocol/position.ts';
import type { IssueOptions } from '../proxy/issued-tokens.ts';
import type { Connection } from '../websocket/destination.ts';
import type { HttpForwardingOptions } from './options.ts';

export type Listener = (notification: Notification) => void;

/** What `attach` returns: the attachment's life, and the app's own ways in and out. */
export interface Attachment {
  /** Resolves when the journal and the UNIX socket are open; rejects with what prevented it. */
  readonly ready: Promise<void>;
  /** The request log and the history. */
  readonly journal: { query(query?: Query): AsyncIterable<Entry>; flush(): Promise<void> };
  /** Where the journal's head is; nothing before `ready`. */
  readonly position: Position | undefined;
  /** The push server's UNIX socket, if there is one. */
  readonly socketPath: string | undefined;
  /**
   * Announces a topic.
   * @param data any JSON value, at most 64 KiB of it
   * @throws ReqcastError `INVALID_TOPIC`, `INVALID_DATA`, `INVALID_OPTION`, `CLOSED`
   */
  notify(topic: string, data?: unknown, options?: { audience?: readonly string[] }): void;
  /** Calls `listener` for each notification that the pattern names, whatever its audience. Returns its undo. */
  on(pattern: string, listener: Listener, options?: { signal?: AbortSignal }): () => void;
  /**
   * For a response that says 202: the handle of what goes on.
   *
   * @param response Node's own: `context.res` in Koa, `reply.raw` in Fastify
   * @throws ReqcastError `INVALID_OPTION`
   */
  task(response: ServerResponse): Task;
  /** For option `proxy`: tokens that lead to a target for a while, for one user or once. */
  readonly tokens: {
    /**
     * A token for the endpoint's URL, as it is.
     * @throws ReqcastError `INVALID_OPTION`
     */
    issue(name: string, options?: IssueOptions): string;
  };
  readonly proxy: {
    /**
     * Forwards the requests and WebSockets below a prefix to another HTTP server: a plugin in a process of its own.
     * Returns the undo; what is under way goes on.
     * @throws ReqcastError `INVALID_OPTION`, `TARGET_INVALID`, `PATH_TAKEN`, `PROXY_WITHOUT_AUTHORIZE`
     */
    http(options: HttpForwardingOptions): () => void;
  };
  /** The tunnels that are open. */
  tunnels(): Tunnel[];
  /** How things stand, for a health check or metrics. */
  stats(): AttachmentStats;
  /** The request hooks for Express and Connect, where no server is in hand. */
  middleware(): (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;
  /** The same for Koa. */
  koa(): (context: KoaContext, next: () => Promise<unknown>) => Promise<void>;
  /**
   * Closes the WebSockets that the predicate names, tunnels too, and those that are just opening: at a logout, or when
   * somebody's rights change. A client connects again, and is authorized again, by itself.
   *
   * @returns how many were open
   */
  disconnect(predicate: (connection: Connection) => boolean): number;
  /**
   * As `close`, for a server that goes while others stay: each client is told to come back at a time of its own within
   * `overMs`, and upgrades are refused with 503 and `Retry-After` until all have gone.
   *
   * @param options.overMs milliseconds. @default 10000
   */
  drain(options?: { overMs?: number }): Promise<void>;
  /** Ends all that `attach` began and leaves the server as found. Idempotent. */
  close(): Promise<void>;
}

export interface AttachmentStats {
  /** Receivers of notifications: WebSockets, peers of the push server and the app's own listeners. */
  readonly subscribers: number;
  /** Open tunnels and forwarded WebSockets. */
  readonly tunnels: number;
  readonly journal: JournalStats;
}

/** A tunnel that is open. */
export interface Tunnel {
  readonly id: string;
  /** The name that its token stands for, or the prefix of a forwarded WebSocket. */
  readonly name: string;
  /** Where it leads, in words. */
  readonly target: string;
  readonly user?: string;
  /** The client's. */
  readonly address?: string;
  /** In milliseconds since 1970. */
  readonly openedAt: number;
  /** From the client to the target, so far. */
  readonly bytesIn: number;
  /** From the target to the client, so far. */
  readonly bytesOut: number;
  close(): void;
}

/** What we need of a Koa context. */
export interface KoaContext {
  req: IncomingMessage;
  res: ServerResponse;
  request?: { body?: unknown };
  state?: { user?: unknown };
  respond?: boolean;
}

/** Something that a request started and that ends later. */
export interface Task {
  /** The id of the request's record. */
  readonly id: string;
  /**
   * Writes the `TASK` record, which tells the User Log the final status, and announces `TASK:` with the request's
   * path. Only the first call counts.
   * @param status an HTTP status. @default 200
   * @throws ReqcastError `INVALID_OPTION`, `INVALID_DATA`
   */
  done(status?: number, options?: { message?: string; data?: unknown }): void;
}
