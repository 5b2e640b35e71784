import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Draft, RequestRecord } from '../journal/entry.ts';
import { copyAudience } from '../protocol/audience.ts';
import { ReqcastError, textOf } from '../protocol/errors.ts';
import { assertTopic } from '../protocol/topic.ts';
import { addressOf, defaultApp, defaultMessage, defaultUser, nameOf } from './defaults.ts';
import { Exchange, type Extra } from './exchange.ts';
import type { MutableRecord, RequestOptions } from './options.ts';
import { type Redactor, redactor } from './redact.ts';
import { type Router, router } from './routes.ts';

/** The longest params that a record carries, in characters of JSON: a log line, not an upload. */
const MAX_PARAMS_LENGTH = 16_384;

export interface ObserverHost {
  append(draft: Draft): void;
  fault(error: ReqcastError): void;
}

/** What an announcement carries beside its topic. */
export type Marks = Pick<Draft, 'data' | 'audience' | 'client'>;

/** Turns requests into entries. Whatever goes wrong here is reported and never reaches the request. */
export class Observer {
  readonly #options: RequestOptions;
  readonly #host: ObserverHost;
  readonly #methods: ReadonlySet<string>;
  readonly #redactor: Redactor;
  readonly #route: Router;
  readonly #exchanges = new WeakMap<ServerResponse, Exchange>();

  constructor(options: RequestOptions, host: ObserverHost) {
    this.#options = options;
    this.#host = host;
    this.#methods = new Set(options.methods ?? ['POST', 'PUT', 'PATCH', 'DELETE']);
    this.#redactor = redactor(options.redact);
    this.#route = router(options.routes);
    if (options.announceLog !== undefined) assertTopic(options.announceLog);
  }

  /** Follows a request from here on, if its method is of interest. Twice is once. */
  observe(request: IncomingMessage, response: ServerResponse, extra?: Extra): void {
    const known = this.#exchanges.get(response);
    if (known) known.extra ??= extra;
    else if (this.#methods.has(request.method as string)) this.#follow(request, response, extra);
  }

  /** The handler of this response threw before it returned. */
  threw(response: ServerResponse): void {
    this.#exchanges.get(response)?.threw();
  }

  /** The exchange of a response, also of one whose method is not of interest. */
  exchangeOf(response: ServerResponse): Exchange {
    return this.#exchanges.get(response) ?? this.#follow(response.req, response);
  }

  #follow(request: IncomingMessage, response: ServerResponse, extra?: Extra): Exchange {
    const exchange = new Exchange(request, response, addressOf(request, this.#options.trustProxy ?? false));
    exchange.extra = extra;
    this.#exchanges.set(response, exchange);
    response.once('close', () => this.#finish(exchange));
    return exchange;
  }

  #finish(exchange: Exchange): void {
    const { request, response } = exchange;
    if (this.#ask('skip', false, () => this.#options.skip?.(request, response) === true)) return;
    const { topics, data } = this.#topics(exchange);
    const record = this.#record(exchange, topics[0]);
    this.#ask('onRecord', undefined, () => this.#options.onRecord?.(record, request, response));
    const announced = this.#options.announceFailed === true || isSuccess(record);
    const audience = this.#ask('audience', [], () =>
      copyAudience(this.#options.audience?.(request, response)),
    );
    const marks = { ...(data !== undefined && { data }), ...(audience && { audience }) };
    const { client } = exchange;
    this.log(record, announced ? topics : [], client === undefined ? marks : { ...marks, client });
    exchange.finish(record, audience);
  }

  /** Writes a record and announces it. */
  log(record: RequestRecord, topics: readonly string[], marks: Marks = {}): void {
    const time = Date.now();
    const [first, ...more] = topics;
    this.#host.append({ time, ...(first !== undefined && { topic: first, ...marks }), request: record });
    for (const topic of more) this.#host.append({ time, topic, ...marks });
    if (this.#options.announceLog) this.#host.append({ time, topic: this.#options.announceLog });
    this.#ask('write', undefined, () => this.#options.write?.(record));
  }

  #record(exchange: Exchange, topic: string | undefined): MutableRecord {
    const { request, response, extra } = exchange;
    const options = this.#options;
    const user = this.#ask('user', undefined, () =>
      options.user ? options.user(request, response) : (nameOf(extra?.user?.()) ?? defaultUser(request)),
    );
    const app = this.#ask('app', undefined, () => options.app?.(request, response)) ?? defaultApp(topic);
    const params = options.params ? this.#params(exchange) : undefined;
    const record: MutableRecord = {
      id: exchange.id,
      method: exchange.method,
      url: this.#redactor.url(exchange.url),
      ...(topic !== undefined && { topic }),
      status: response.statusCode,
      outcome: exchange.outcome,
      durationMs: exchange.durationMs,
      ...(user !== undefined && { user }),
      ...(exchange.address !== undefined && { address: exchange.address }),
      ...(app !== undefined && { app }),
      message: '',
      ...(params !== undefined && { params }),
    };
    const message = this.#ask('message', undefined, () => options.message?.(record, request));
    record.message = typeof message === 'string' ? message : defaultMessage(record);
    return record;
  }

  #params({ request, response, extra }: Exchange): unknown {
    return this.#ask('params', undefined, () => {
      const { params } = this.#options;
      const given =
        typeof params === 'function'
          ? params(request, response)
          : (extra?.body?.() ?? (request as { body?: unknown }).body);
      if (given === undefined) return undefined;
      const safe = this.#redactor.value(given);
      return (JSON.stringify(safe)?.length ?? 0) > MAX_PARAMS_LENGTH ? '[too large]' : safe;
    });
  }

  /** The valid topics of a request; what is wrong with others is reported. */
  #topics({ method, url, request, response }: Exchange): { topics: string[]; data?: unknown } {
    const { topic, routeData } = this.#options;
    const given = topic && this.#ask('topic', false as const, () => topic(request, response));
    const routed = given === undefined ? this.#route(method, url) : undefined;
    const wanted = routed?.topic ?? given;
    const topics = [wanted || []].flat().filter((name) =>
      this.#guard(() => {
        assertTopic(name);
        return true;
      }),
    );
    return { topics, ...(routeData && routed?.data && { data: routed.data }) };
  }

  #guard(check: () => true): boolean {
    try {
      return check();
    } catch (error) {
      this.#host.fault(error as ReqcastError);
      return false;
    }
  }

  /** Calls one of the app's functions; one that throws is reported, and the default counts. */
  #ask<T>(option: keyof RequestOptions, otherwise: T, call: () => T): T {
    try {
      return call();
    } catch (cause) {
      const message = `Option ${option} threw: ${textOf(cause)}. The default was used for this request.`;
      this.#host.fault(new ReqcastError('CALLBACK_FAILED', message, { cause }));
      return otherwise;
    }
  }
}

function isSuccess(record: RequestRecord): boolean {
  return record.status < 400 && record.outcome === 'completed';
}
