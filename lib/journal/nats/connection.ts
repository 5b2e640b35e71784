import { ReqcastError, textOf } from '../../protocol/errors.ts';

/** What a server says of itself. */
export interface ServerInfo {
  readonly max_payload?: number;
  /** Another one after each start. */
  readonly server_id?: string;
  /** The cluster that it belongs to. */
  readonly cluster?: string;
  readonly jetstream?: boolean;
}

/**
 * What `connect(…)` of `@nats-io/transport-node` or of `nats` gives. It stays the app's: what the journal puts on it, it
 * takes away again, and it never closes it.
 */
export interface NatsConnection {
  readonly info?: ServerInfo | undefined;
  request(subject: string, ...rest: never[]): Promise<unknown>;
  publish(subject: string, ...rest: never[]): void;
  subscribe(subject: string, ...rest: never[]): unknown;
  status(): AsyncIterable<unknown>;
  isClosed(): boolean;
}

/** What arrives, in both libraries. */
export interface Delivery {
  readonly subject: string;
  readonly reply?: string;
  readonly data: Uint8Array;
  readonly headers?: { readonly code: number; readonly description: string; get(name: string): string };
}

export interface Subscription {
  unsubscribe(): void;
}

/** Both libraries take for headers whatever encodes itself. */
export interface Headers {
  encode(): Uint8Array;
}

/** Changes of a connection, until it is stopped. */
export interface Changes extends AsyncIterable<{ readonly type?: string }> {
  stop?(): void;
}

/** The parts that are used, with the types that they have in both libraries. */
export interface Connection {
  readonly info?: ServerInfo | undefined;
  /** Where it was told to have its inboxes. Neither library says so in its types, and both have it. */
  readonly options?: { readonly inboxPrefix?: string };
  request(
    subject: string,
    payload: string,
    options: { timeout: number; headers?: Headers },
  ): Promise<Delivery>;
  publish(subject: string, payload: string, options?: { reply: string }): void;
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, delivery: Delivery) => void },
  ): Subscription;
  status(): Changes;
  isClosed(): boolean;
}

const METHODS = ['request', 'publish', 'subscribe', 'status', 'isClosed'] as const;

/** @throws ReqcastError `INVALID_OPTION` */
export function connectionOf(given: NatsConnection): Connection {
  const connection = given as Partial<NatsConnection> | null | undefined;
  if (METHODS.every((name) => typeof connection?.[name] === 'function'))
    return connection as unknown as Connection;
  const shown = typeof given === 'object' && given ? `a ${given.constructor?.name}` : textOf(given);
  const allowed = 'what `connect` of @nats-io/transport-node or of nats resolves with';
  throw new ReqcastError('INVALID_OPTION', `natsJournal connection is ${shown}; it must be ${allowed}.`);
}

export function headersOf(values: { readonly [name: string]: string | number }): Headers {
  const lines = Object.entries(values).map(([name, value]) => `${name}: ${value}\r\n`);
  const encoded = Buffer.from(`NATS/1.0\r\n${lines.join('')}\r\n`);
  return { encode: () => encoded };
}
