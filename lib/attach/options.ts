import type { IncomingMessage } from 'node:http';
import type { Journal } from '../journal/journal.ts';
import type { ReqcastError } from '../protocol/errors.ts';
import type { TokenSecret } from '../proxy/issued-tokens.ts';
import type { TunnelLimits } from '../proxy/limits.ts';
import type { SocketDirOptions } from '../proxy/socket-dir.ts';
import type { HttpAddress, TargetTable } from '../proxy/target.ts';
import type { TokenFile } from '../proxy/token-file.ts';
import type { RequestOptions } from '../request/options.ts';

/** `false`: refused with 401. `true`: may enter. A list: may enter and sees entries marked for one of these audiences. */
export type Authorization = boolean | readonly string[];
/** `name`: where a tunnel is to lead, or the prefix of what is forwarded; absent for the notifications. */
export type Authorize = (request: IncomingMessage, name?: string) => Authorization | Promise<Authorization>;

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
  /**
   * Of the event loop's time, the sending of notifications takes at most so much; what is over in a few milliseconds is
   * sent at once. More than 0, and 1 at most. @default 1 / 3
   */
  loopShare?: number;
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

/** From a token's name to where it leads. */
export type Targets = TargetTable | TokenFile;

export interface ProxyOptions extends TunnelLimits, SocketDirOptions {
  /** A record, a Map that may change while running, a function, or `tokenFile(path)`. @default none */
  targets?: Targets;
  /** Who may open a tunnel. @default the attachment's `authorize`; one of the two is required */
  authorize?: Authorize;
  /** Who opened it, for the log and the list. @default `request.user` and the like, which `authorize` may have set */
  user?: (request: IncomingMessage) => string | undefined;
  /** How long connecting to a target may take, in milliseconds. @default 8000 */
  connectTimeoutMs?: number;
  /**
   * What `tokens.issue` signs with, 32 bytes or more. Of a list the first signs and all are believed. Processes that
   * share it believe each other's tokens. @default made at start
   */
  tokenSecret?: TokenSecret | readonly TokenSecret[];
  /** Take tokens of `tokens.issue` only, none that is just a name. @default false */
  issuedOnly?: boolean;
  /** Keep a record of each tunnel's opening and end in the journal. @default false */
  log?: boolean;
}

/** A plugin's own server, and which requests are its. */
export interface HttpForwardingOptions {
  /** Requests and WebSockets to this path and below it are forwarded. */
  prefix: string;
  /** The URL to which the rest of the path is added, or a UNIX socket and a path there. */
  target: HttpAddress;
  /** Who may. @default `proxy.authorize`, or the attachment's; one is required */
  authorize?: Authorize;
  /** How long the target may take to begin its answer after it was sent the last, in milliseconds. @default 120000 */
  answerTimeoutMs?: number;
}
