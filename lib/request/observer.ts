import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Draft, RequestRecord } from '../journal/entry.ts';
import { copyAudience } from '../protocol/audience.ts';
import { ReqcastError, textOf } from '../protocol/errors.ts';
import { assertTopic } from '../protocol/topic.ts';
import { addressOf, defaultApp, defaultMessage, defaultUser, nameOf, sentence } from './defaults.ts';
import { Exchange, type Extra } from './exchange.ts';
import type { MutableRecord, RequestOptions } from './options.ts';
import { type Redactor, redactor } from './redact.ts';
import { router } from './routes.ts';
import { type Subject, Subjects } from './subject.ts';

/** The options that are functions of the app, each asked for each request. */
const ASKED = ['skip', 'topic', 'audience', 'user', 'app', 'message', 'params', 'onRecord', 'write'] as const;

export interface ObserverHost {
  append(draft: Draft): void;
  fault(error: ReqcastError): void;
}

/** What an announcement carries beside its topic. */
export type Marks = Pick<Draft, 'data' | 'audience' | 'client'>;

/** In a WeakMap an exchange, which knows its response, would keep it alive beyond the young generation. */
type Followed = ServerResponse & { [key: symbol]: Exchange | undefined };

/** Turns requests into entries. Whatever goes wrong here is reported and never reaches the request. */
export class Observer {
  readonly #options: RequestOptions;
  readonly #host: ObserverHost;
  readonly #methods: ReadonlySet<string>;
  readonly #redactor: Redactor;
  readonly #subjects: Subjects;
  /** One listener for all responses; each closes once. */
  readonly #onClose: (this: ServerResponse) => void;
  /** Where a response keeps its exchange. */
  readonly #key = Symbol('reqcast exchange');
  /** The app's functions are to be asked. */
  readonly #asks: boolean;
  /** Those that wait on a connection until others before them are answered. */
  readonly #behind = new WeakMap<Socket, Set<Exchange>>();
  /** Exchanges that have ended and are not written yet. */
  #ended: Exchange[] = [];

  constructor(options: RequestOptions, host: ObserverHost) {
    this.#options = options;
    this.#host = host;
    this.#methods = new Set(options.methods ?? ['POST', 'PUT', 'PATCH', 'DELETE']);
    this.#redactor = redactor(options.redact);
    this.#subjects = new Subjects(router(options.routes), this.#redactor);
    if (options.announceLog !== undefined) assertTopic(options.announceLog);
    this.#asks = ASKED.some((name) => typeof options[name] === 'function');
    const observer = this;
    this.#onClose = function () {
      observer.#end(observer.#known(this) as Exchange);
    };
  }

  /** Follows a request from here on, if its method is of interest. Twice is once. */
  observe(request: IncomingMessage, response: ServerResponse, extra?: Extra): void {
    const known = this.#known(response);
    if (known) known.extra ??= extra;
    else if (this.#methods.has(request.method as string)) this.#follow(request, response, extra);
  }

  /** The handler of this response threw before it returned. */
  threw(response: ServerResponse): void {
    this.#known(response)?.threw();
  }

  /**
   * The exchange of a response, also of one whose method is not of interest.
   *
   * @throws ReqcastError `INVALID_OPTION` for what a framework has in its place
   */
  exchangeOf(response: ServerResponse): Exchange {
    if (typeof response?.writeHead !== 'function')
      throw new ReqcastError(
        'INVALID_OPTION',
        'task needs Node’s own response, which is context.res in Koa and reply.raw in Fastify.',
      );
    return this.#known(response) ?? this.#follow(response.req, response);
  }

  #known(response: ServerResponse): Exchange | undefined {
    return (response as Followed)[this.#key];
  }

  #follow(request: IncomingMessage, response: ServerResponse, extra?: Extra): Exchange {
    const exchange = new Exchange(request, response, addressOf(request, this.#options.trustProxy ?? false));
    exchange.extra = extra;
    (response as Followed)[this.#key] = exchange;
    response.on('close', this.#onClose);
    // Told once, and that was before: a task has begun late.
    if (response.closed) this.#end(exchange);
    else if (response.socket === null && request.socket instanceof Socket) this.#wait(exchange);
    return exchange;
  }

  /** Of a response that is not its connection's turn yet, the loss of the connection is not told. */
  #wait(exchange: Exchange): void {
    const { request, response } = exchange;
    let behind = this.#behind.get(request.socket);
    if (!behind) {
      behind = new Set();
      this.#behind.set(request.socket, behind);
      request.socket.once('close', () => this.#lost(request.socket));
    }
    behind.add(exchange);
    response.on('close', () => behind.delete(exchange));
  }

  #lost(socket: Socket): void {
    for (const exchange of this.#behind.get(socket) ?? []) {
      // Of one whose turn had come it may be told yet.
      exchange.response.off('close', this.#onClose);
      this.#end(exchange);
    }
  }

  /** Writes at once where the app's functions are asked: they may want to know in whose async context they are. */
  #end(exchange: Exchange): void {
    exchange.ended();
    if (this.#asks) this.#finish(exchange);
    else if (this.#ended.push(exchange) === 1) setImmediate(() => this.settle());
  }

  /**
   * Writes the records of all requests that have ended. This happens by itself, for those of one turn of the event loop
   * together: between system calls, and with the caches that these leave, one costs three times as much.
   */
  settle(): void {
    if (this.#ended.length === 0) return;
    const ended = this.#ended;
    this.#ended = [];
    for (const exchange of ended) this.#finish(exchange);
  }

  #finish(exchange: Exchange): void {
    const options = this.#options;
    const { request, response } = exchange;
    if (options.skip && this.#ask('skip', false, () => options.skip?.(request, response)) === true) return;
    const subject = this.#subjects.of(exchange.method, exchange.url);
    const given = this.#given(exchange);
    const topics = given ?? (subject.valid ? subject.topics : this.#valid(subject.topics));
    const data = given === undefined && options.routeData ? subject.data : undefined;
    const record = this.#record(exchange, subject, topics[0]);
    if (options.onRecord)
      this.#ask('onRecord', undefined, () => options.onRecord?.(record, request, response));
    const announced = options.announceFailed === true || isSuccess(record);
    const audience =
      options.audience &&
      this.#ask('audience', [], () =>
        copyAudience(this.#heard('audience', options.audience?.(request, response))),
      );
    this.log(record, announced ? topics : [], marksOf(data, audience, exchange.client));
    exchange.finish(record, audience);
  }

  /** Writes a record and announces it. */
  log(record: RequestRecord, topics: readonly string[], marks?: Marks): void {
    const options = this.#options;
    const time = Date.now();
    const topic = topics[0];
    if (topic === undefined) this.#host.append({ time, request: record });
    else if (marks) this.#host.append({ time, topic, ...marks, request: record });
    else this.#host.append({ time, topic, request: record });
    for (let i = 1; i < topics.length; i++) this.#host.append({ time, topic: topics[i], ...marks });
    if (options.announceLog) this.#host.append({ time, topic: options.announceLog });
    if (options.write) this.#ask('write', undefined, () => options.write?.(record));
  }

  #record(exchange: Exchange, subject: Subject, topic: string | undefined): MutableRecord {
    const options = this.#options;
    const { request, response, address } = exchange;
    const { app, message } =
      topic === subject.topics[0] ? subject : told(exchange.method, topic, subject.url);
    const user = this.#user(exchange);
    const params = options.params ? this.#params(exchange) : undefined;
    const givenApp = options.app && this.#ask('app', undefined, () => options.app?.(request, response));
    const record: MutableRecord = {
      id: exchange.id,
      method: exchange.method,
      url: subject.url,
      status: response.statusCode,
      outcome: exchange.outcome,
      durationMs: exchange.durationMs,
      message,
    };
    if (topic !== undefined) record.topic = topic;
    if (user !== undefined) record.user = user;
    if (address !== undefined) record.address = address;
    if (typeof givenApp === 'string') record.app = givenApp;
    else if (app !== undefined) record.app = app;
    if (params !== undefined) record.params = params;
    record.message = defaultMessage(record, message);
    const given =
      options.message && this.#ask('message', undefined, () => options.message?.(record, request));
    if (typeof given === 'string') record.message = given;
    return record;
  }

  #user({ request, response, extra }: Exchange): string | undefined {
    const { user } = this.#options;
    return this.#ask('user', undefined, () =>
      // The option's answer too: what is a user's whole record may have a password in it.
      user
        ? nameOf(this.#heard('user', user(request, response)))
        : (nameOf(extra?.user?.()) ?? defaultUser(request)),
    );
  }

  #params({ request, response, extra }: Exchange): unknown {
    return this.#ask('params', undefined, () => {
      const { params } = this.#options;
      const given =
        typeof params === 'function'
          ? this.#heard('params', params(request, response))
          : (extra?.body?.() ?? (request as { body?: unknown }).body);
      return given === undefined ? undefined : this.#redactor.value(given);
    });
  }

  /** The valid ones of the topics that the app's function gives, if it gives any, or none. */
  #given({ request, response }: Exchange): readonly string[] | undefined {
    const { topic } = this.#options;
    const given = topic && this.#ask('topic', false as const, () => topic(request, response));
    return given === undefined ? undefined : this.#valid([given || []].flat());
  }

  /** What is wrong with the others is reported. */
  #valid(topics: readonly string[]): readonly string[] {
    return topics.filter((topic) =>
      this.#guard(() => {
        assertTopic(topic);
        return true;
      }),
    );
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
      return this.#heard(option, call());
    } catch (cause) {
      this.#threw(option, cause);
      return otherwise;
    }
  }

  /** Nobody waits for a promise, and a rejection that nobody hears ends the process. */
  #heard<T>(option: keyof RequestOptions, answer: T): T {
    if (answer instanceof Promise) answer.catch((cause) => this.#threw(option, cause));
    return answer;
  }

  #threw(option: keyof RequestOptions, cause: unknown): void {
    const message = `Option ${option} threw: ${textOf(cause)}. The default was used for this request.`;
    this.#host.fault(new ReqcastError('CALLBACK_FAILED', message, { cause }));
  }
}

function told(method: string, topic: string | undefined, url: string): Pick<Subject, 'app' | 'message'> {
  return { app: defaultApp(topic), message: sentence(method, topic ?? url) };
}

function marksOf(
  data: unknown,
  audience: readonly string[] | undefined,
  client: string | undefined,
): Marks | undefined {
  if (data === undefined && !audience && client === undefined) return undefined;
  return {
    ...(data !== undefined && { data }),
    ...(audience && { audience }),
    ...(client !== undefined && { client }),
  };
}

function isSuccess(record: RequestRecord): boolean {
  return record.status < 400 && record.outcome === 'completed';
}
