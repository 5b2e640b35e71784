import { randomBytes } from 'node:crypto';
import { Fuse } from '../engine/fuse.ts';
import { type Changes, type Connection, type Delivery, headersOf, type Subscription } from './connection.ts';

/** What has not been answered for so long has nobody at the other end. */
export const ANSWER_MS = 3_000;

/** An answer of JetStream that says no. Codes: `err_code` in the server's `errors.json`. */
export class Refused extends Error {
  constructor(
    readonly code: number,
    description: string,
  ) {
    super(description);
  }
}

interface Answer {
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/** The app's connection, as one session uses it: until it is lost or something is not answered. */
export class Line {
  readonly #connection: Connection;
  readonly #changes: Changes;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #fuse = new Fuse();
  /** Resolves when the connection was made again. What was asked before is not answered. */
  readonly reconnected: Promise<void>;
  #reconnect!: () => void;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.reconnected = new Promise((resolve) => {
      this.#reconnect = resolve;
    });
    this.#changes = connection.status();
    void this.#watch();
  }

  /** What was sent before the connection was lost is not answered, and subscribers of a stream have to ask again. */
  async #watch(): Promise<void> {
    for await (const { type } of this.#changes) {
      if (type === 'disconnect') this.fail(new Error('the connection was lost'));
      if (type === 'reconnect') this.#reconnect();
    }
  }

  /** The run of the server that keeps the stream, if it is sure to be the one that we are connected to. */
  get run(): string | undefined {
    const { server_id, cluster, jetstream } = this.#connection.info ?? {};
    return jetstream && !cluster ? server_id : undefined;
  }

  /** @throws Refused */
  async ask<T>(subject: string, payload: object | string = '', headers = {}): Promise<T> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const { data } = await this.#answered(subject, text, headers);
    const answer = JSON.parse(Buffer.from(data).toString()) as T & Answer;
    if (answer.error) throw new Refused(answer.error.err_code ?? 0, String(answer.error.description));
    return answer;
  }

  async #answered(subject: string, payload: string, headers: object): Promise<Delivery> {
    if (this.#connection.isClosed())
      throw new Error('the connection was closed (connect with maxReconnectAttempts: -1, and close it last)');
    const options = {
      timeout: ANSWER_MS,
      ...(Object.keys(headers).length > 0 && { headers: headersOf({ ...headers }) }),
    };
    const answer = this.#connection.request(subject, payload, options);
    return await this.#fuse.orBlown(answer);
  }

  /** Sends what is answered by many, which come to the subject that `listen` gave. */
  send(subject: string, payload: object, reply: string): void {
    this.#connection.publish(subject, JSON.stringify(payload), { reply });
  }

  /** @returns the subject to have answers sent to */
  listen(receive: (delivery: Delivery) => void): string {
    const prefix = this.#connection.options?.inboxPrefix ?? '_INBOX';
    const subject = `${prefix}.${randomBytes(16).toString('hex')}`;
    const callback = (error: Error | null, delivery: Delivery) =>
      error ? this.fail(error) : receive(delivery);
    this.#subscriptions.set(subject, this.#connection.subscribe(subject, { callback }));
    return subject;
  }

  unlisten(subject: string): void {
    this.#subscriptions.get(subject)?.unsubscribe();
    this.#subscriptions.delete(subject);
  }

  /** Rejects when the line is of no use any more. */
  async orBroken<T>(other: Promise<T>): Promise<T> {
    return this.#fuse.orBlown(other);
  }

  fail(why: Error): void {
    if (this.#fuse.isBlown) return;
    this.#fuse.blow(why);
    this.#changes.stop?.();
    for (const subject of [...this.#subscriptions.keys()]) this.unlisten(subject);
  }

  /** Asks for what needs no answer. */
  tell(subject: string): void {
    if (!this.#connection.isClosed()) this.#connection.publish(subject, '');
  }

  end(): void {
    this.fail(new Error('the journal left the connection'));
  }
}
