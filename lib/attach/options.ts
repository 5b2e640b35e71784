import type { IncomingMessage } from 'node:http';
import type { Journal } from '../journal/journal.ts';
import type { ReqcastError } from '../protocol/errors.ts';
import type { Targets } from '../proxy/target.ts';
import type { RequestOptions } from '../request/options.ts';

/** `false`: refused with 401. `true`: may enter. A list: may enter and sees entries marked for one of these audiences. */
export type Authorization = boolean | readonly string[];
export type Authorize = (request: IncomingMessage) => Authorization | Promise<Authorization>;

/** Where in the library a background fault arose. */
export type Stage = 'request' | 'journal' | 'hub' | 'websocket' | 'push' | 'proxy';

export interface AttachOptions extends RequestOptions {
  /** The path of the WebSocket endpoint. @default '/websockify' */
  path?: string;
  /** Who may open a WebSocket and what they see. @default everyone who reaches the server may enter */
  authorize?: Authorize;
  /**
   * `authorize` is asked again for each open WebSocket after so long, in milliseconds: one that it no longer lets in
   * is closed, and what it sees changes with its audiences. @default never
   */
  reauthorizeMs?: number;
  /**
   * Origins whose pages may open a WebSocket, beside those of the server's own host: `'https://app.example.com'`;
   * `'*'` for all. Programs, which send no `Origin`, may always. @default none
   */
  origins?: readonly string[];
  /** Where entries live. @default memoryJournal() */
  journal?: Journal;
  /**
   * Tell each HTML page the position at its request, in a `Server-Timing` header, so that what changes between then
   * and the opening of its WebSocket is replayed. @default true
   */
  serverTiming?: boolean;
  /** How many of the newest entries can be replayed to a reader that was away. @default 10000 */
  windowSize?: number;
  /** The feed on a UNIX socket; `true` for its default path. @default off */
  pushServer?: boolean | PushServerOptions;
  /** What the tokens of the WebSocket endpoint lead to, beside the notifications. @default nothing */
  proxy?: ProxyOptions;
  /** The largest message taken from a subscriber, in bytes. @default 65536 */
  maxMessageBytes?: number;
  /** How many patterns a subscriber may have. @default 256 */
  maxPatterns?: number;
  /** How many messages a subscriber may send a second, over ten seconds. @default 50 */
  maxMessagesPerSecond?: number;
  /** How many WebSockets may be open or opening. @default 20000 */
  maxConnections?: number;
  /** The same for one remote address; this machine's own counts only with `trustProxy`. @default 1000 */
  maxConnectionsPerAddress?: number;
  /** A subscriber that reads nothing of what it lacks is closed after so long, in milliseconds. @default 60000 */
  stallTimeoutMs?: number;
  /** How long authorizing, connecting and the first line may take, in milliseconds. @default 10000 */
  handshakeTimeoutMs?: number;
  /** How long `close` waits for the other ends, in milliseconds. @default 2000 */
  closeTimeoutMs?: number;
  /**
   * Receives each fault that arises in the background. @default a process warning, once for each code
   */
  onError?: (error: ReqcastError, context: { stage: Stage }) => void;
}

export interface PushServerOptions {
  /** @default `$XDG_RUNTIME_DIR/woknotifications`, else in a directory of the user's own under the temp dir */
  socketPath?: string;
  /** The permissions of the socket. @default 0o600 */
  mode?: number;
}

export interface ProxyOptions {
  /** A token's name to where it leads: a record, a Map that may change while running, or a function. */
  targets: Targets;
  /** Who may open a tunnel. @default the attachment's `authorize`; one of the two is required */
  authorize?: Authorize;
  /** How long connecting to a target may take, in milliseconds. @default 10000 */
  connectTimeoutMs?: number;
}
