import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outcome, RequestRecord } from '../journal/entry.ts';
import { CLIENT_HEADER, CLIENT_NAME } from '../protocol/wire.ts';
import { recordId } from './record-id.ts';

/** As Node has it. */
const HEADER = CLIENT_HEADER.toLowerCase();

/** What only a framework's own middleware can tell of a request. */
export interface Extra {
  body?: () => unknown;
  user?: () => unknown;
}

type AfterRecord = (record: RequestRecord, audience: readonly string[] | undefined) => void;

/** One request and its response, from the request's start to its record. */
export class Exchange {
  readonly #startedAt = performance.now();
  #endedAt = 0;
  #id: string | undefined;
  readonly method: string;
  /** As it came: routers rewrite `request.url`. */
  readonly url: string;
  readonly address: string | undefined;
  /** The mark of the page that made the request, if it named itself. */
  readonly client: string | undefined;
  extra: Extra | undefined;
  /** How it ended, once it has. */
  outcome: Outcome = 'completed';
  /** Set once the response is done. */
  #recorded: Parameters<AfterRecord> | undefined;
  #afterRecord: AfterRecord[] | undefined;
  #threw = false;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    address: string | undefined,
  ) {
    this.method = request.method ?? 'GET';
    this.url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/';
    this.address = address;
    const name = request.headers[HEADER];
    if (typeof name === 'string' && CLIENT_NAME.test(name)) this.client = markOf(name);
  }

  /** Of its record. */
  get id(): string {
    this.#id ??= recordId();
    return this.#id;
  }

  /** The handler threw: what it answered before does not count. */
  threw(): void {
    this.#threw = true;
  }

  /** To call when the response is done: time goes on, and the socket to the next request. */
  ended(): void {
    this.#endedAt = performance.now();
    this.outcome = this.#howEnded();
  }

  get durationMs(): number {
    return Math.round((this.#endedAt - this.#startedAt) * 1000) / 1000;
  }

  /** Frameworks turn a throw into a 5xx, so that counts as `failed` too. */
  #howEnded(): Outcome {
    if (this.#threw) return 'failed';
    const { response } = this;
    // HTTP/2 calls one finished that was reset before its end.
    if (response.writableFinished && response.writableEnded)
      return response.statusCode >= 500 ? 'failed' : 'completed';
    return this.#clientLeft() ? 'aborted' : 'failed';
  }

  #clientLeft(): boolean {
    const { socket, httpVersionMajor } = this.request;
    // There the socket is that of many requests.
    if (httpVersionMajor === 2 || !socket) return this.request.aborted;
    // The other end has closed or reset; else it was the server that cut the response off.
    if (socket.readableEnded || (socket.errored as NodeJS.ErrnoException | null)?.code) return true;
    return this.response.errored == null && !socket.destroyed;
  }

  /** Runs `act` with the record and its audience, now or when there is one. */
  whenRecorded(act: AfterRecord): void {
    if (this.#recorded) act(...this.#recorded);
    else if (this.#afterRecord) this.#afterRecord.push(act);
    else this.#afterRecord = [act];
  }

  finish(record: RequestRecord, audience: readonly string[] | undefined): void {
    this.#recorded = [record, audience];
    if (this.#afterRecord) for (const act of this.#afterRecord) act(record, audience);
  }
}

/** Tells clients apart without giving away their names: all subscribers see it. PROTOCOL.md has the same rule. */
function markOf(name: string): string {
  return createHash('sha256').update(name).digest('base64').slice(0, 22);
}
