import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import createDebug from 'debug';
import { Hub } from '../hub/hub.ts';
import { ReqcastError } from '../protocol/errors.ts';
import { assertTopic } from '../protocol/topic.ts';
import { addressOf } from '../request/defaults.ts';
import type { Extra } from '../request/exchange.ts';
import { Observer } from '../request/observer.ts';
import { isPage, tellPagePosition } from '../request/page-position.ts';
import type { Connection } from '../websocket/destination.ts';
import { Endpoint } from '../websocket/endpoint.ts';
import { Refusal } from '../websocket/refusal.ts';
import type { Attachment, KoaContext, Listener, Task } from './attachment.ts';
import { audienceOf } from './audience-of.ts';
import { copyData } from './data.ts';
import { Destinations, type ProxyParts } from './destinations.ts';
import { type Fault, faults } from './faults.ts';
import { Forwardings } from './forwardings.ts';
import { Intake } from './intake.ts';
import { Listeners } from './listeners.ts';
import { type NormalizedOptions, normalizeOptions } from './normalize.ts';
import type { AttachOptions } from './options.ts';
import { PushFeed } from './push-feed.ts';
import { serverAmong } from './server-among.ts';
import { SharedTexts } from './shared-text.ts';
import { serverOf, type TapMember, tapServer } from './tap.ts';
import { createTask } from './task.ts';
import { TunnelTokens } from './tunnel-tokens.ts';
import { Tunnels } from './tunnels.ts';

const debug = createDebug('reqcast:attach');

/** After `close` clients come back spread over so long: most servers that are restarted are back by then. */
const CLOSE_MS = 1_000;

/** After `drain` they take more time, for there are other servers that they go to. */
const DRAIN_MS = 10_000;

/**
 * Makes a server's requests the live feed of its UI. Synchronous, before or after `listen`; without a server, use
 * `middleware()` or `koa()`, which find it by the first request.
 *
 * @throws ReqcastError `NO_SERVER`, `INVALID_OPTION`, `INVALID_TOPIC`, `PATH_TAKEN`, `PROXY_WITHOUT_AUTHORIZE`
 */
export function attach(server: Server | HttpsServer, options?: AttachOptions): Attachment;
export function attach(options?: AttachOptions): Attachment;
export function attach(
  ...given: [server: Server | HttpsServer, options?: AttachOptions] | [options?: AttachOptions]
): Attachment {
  const server = serverAmong(given);
  const options = (server ? given[1] : given[0]) ?? {};
  const attachment = new Wiring(normalizeOptions(options as AttachOptions));
  if (server) attachment.tap(server);
  attachment.open();
  return attachment;
}

/** The one place that knows every part. */
class Wiring implements Attachment, TapMember {
  readonly path: string;
  readonly journal: Attachment['journal'];
  readonly tokens: Attachment['tokens'];
  readonly proxy: Attachment['proxy'];
  ready!: Promise<void>;
  readonly #options: NormalizedOptions;
  readonly #fault: Fault;
  readonly #intake: Intake;
  readonly #hub: Hub;
  readonly #listeners: Listeners;
  readonly #observer: Observer;
  readonly #endpoint: Endpoint;
  readonly #proxy: ProxyParts;
  readonly #push: PushFeed;
  /** Those that were announced lately: checked once, and one text for all entries. */
  readonly #topics = new SharedTexts(assertTopic);
  readonly #untap = new Map<Server, () => void>();
  #isOpen = false;
  #closing: Promise<void> | undefined;

  constructor(options: NormalizedOptions) {
    this.#options = options;
    this.path = options.path;
    const fault = faults(options.onError);
    this.#fault = fault;
    this.#intake = new Intake(options.journal);
    this.#hub = new Hub({
      ...options,
      shared: options.journal.shared,
      onFault: (error) => fault('hub', error),
    });
    this.#listeners = new Listeners(this.#hub, (error) => fault('hub', error));
    this.#observer = new Observer(options, {
      append: (draft) => this.#intake.take(draft),
      fault: (error) => fault('request', error),
    });
    this.#proxy = {
      tokens: new TunnelTokens(options, fault),
      forwardings: new Forwardings(options, fault),
      tunnels: new Tunnels(options, (record) => this.#observer.log(record, []), fault),
    };
    this.tokens = { issue: (name, how) => this.#proxy.tokens.issue(name, how) };
    this.proxy = { http: (forwarding) => this.#proxy.forwardings.add(forwarding) };
    this.#endpoint = this.#createEndpoint();
    this.#push = new PushFeed(options, this.#hub, fault);
    this.journal = {
      query: (query) => {
        this.#observer.settle();
        return options.journal.query(query);
      },
      flush: async () => {
        this.#observer.settle();
        await this.ready;
        await options.journal.flush();
      },
    };
    if (!options.authorize) debug('no authorize: notifications are open to whoever reaches the server');
  }

  get position() {
    this.#observer.settle();
    return this.#intake.settled ? this.#hub.position : undefined;
  }

  get socketPath() {
    return this.#push.socketPath;
  }

  tap(server: Server): void {
    if (this.#closing || this.#untap.has(server)) return;
    this.#untap.set(server, tapServer(server, this));
  }

  open(): void {
    this.ready = this.#open();
    this.ready.catch((error: unknown) => {
      this.#intake.fail();
      if (!this.#closing) this.#fault('journal', error);
    });
  }

  async #open(): Promise<void> {
    const { journal, windowSize } = this.#options;
    const sink = {
      reset: (start: Parameters<Hub['reset']>[0]) => this.#hub.reset(start),
      deliver: (entries: Parameters<Hub['deliver']>[0]) => this.#hub.deliver(entries),
      leads: (leads: boolean) => this.#push.leads(leads),
      fault: (error: ReqcastError) => this.#fault('journal', error),
    };
    await journal.open(sink, windowSize);
    this.#listeners.open();
    this.#intake.open();
    await this.#push.open();
    this.#isOpen = true;
  }

  async #readyFor(): Promise<void> {
    try {
      await this.ready;
    } catch {
      throw new Refusal(503, 'NOT_READY', 'The journal or the push server is not open.', {
        'Retry-After': '5',
      });
    }
  }

  #createEndpoint(): Endpoint {
    const options = this.#options;
    const destinations = new Destinations(options, this.#hub, this.#fault, this.#proxy);
    return new Endpoint({
      ...options,
      resolve: (request, arrival) =>
        this.#isOpen
          ? destinations.resolve(request, arrival)
          : this.#readyFor().then(() => destinations.resolve(request, arrival)),
      addressOf: (request) => addressOf(request, options.trustProxy),
      onFull: ({ message }) =>
        this.#fault(
          'websocket',
          new ReqcastError('OVERLOADED', `${message} See options maxConnections and trustProxy.`),
        ),
      onFault: (error) => this.#fault('websocket', error),
    });
  }

  notify(topic: string, data?: unknown, options?: { audience?: readonly string[] }): void {
    if (this.#intake.sealed)
      throw new ReqcastError('CLOSED', 'The attachment is closed: notify before close().');
    const shared = this.#topics.of(topic);
    const copy = copyData(data);
    const audience = audienceOf(options);
    this.#observer.settle();
    this.#intake.take({
      time: Date.now(),
      topic: shared,
      ...(copy !== undefined && { data: copy }),
      ...(audience && { audience }),
    });
  }

  on(pattern: string, listener: Listener, { signal }: { signal?: AbortSignal } = {}): () => void {
    return this.#listeners.on(pattern, listener, signal);
  }

  task(response: ServerResponse): Task {
    return createTask(this.#observer.exchangeOf(response), this.#observer);
  }

  tunnels() {
    return this.#proxy.tunnels.list();
  }

  stats() {
    return {
      subscribers: this.#hub.size,
      tunnels: this.tunnels().length,
      journal: this.#options.journal.stats(),
    };
  }

  middleware() {
    return (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => {
      if (this.#enter(request, response)) return;
      if (!response.writableEnded) next();
    };
  }

  koa() {
    return async (context: KoaContext, next: () => Promise<unknown>) => {
      const { req, res } = context;
      const taken = this.#enter(req, res, {
        body: () => context.request?.body,
        user: () => context.state?.user,
      });
      if (taken) context.respond = false;
      else if (!res.writableEnded) await next();
    };
  }

  /** True if the request is forwarded. */
  #enter(request: IncomingMessage, response: ServerResponse, extra?: Extra): boolean {
    if (this.#closing) return false;
    const server = serverOf(request);
    if (server) this.tap(server);
    else debug('no server found behind the middleware: give attach() the server for WebSockets');
    this.#follow(request, response, extra);
    // This one came before the server was ours; the client's next try finds the endpoint.
    const late = request.headers.upgrade && request.url?.split('?')[0] === this.path;
    if (late)
      response.writeHead(503, { 'Retry-After': '1', Connection: 'close' }).end('NOT_READY: try again\n');
    return !late && this.#proxy.forwardings.serve(request, response);
  }

  #follow(request: IncomingMessage, response: ServerResponse, extra?: Extra): void {
    try {
      this.#observer.observe(request, response, extra);
      const position = this.#options.serverTiming && isPage(request) && this.position;
      if (position) tellPagePosition(response, position);
    } catch (fault) {
      // A server may be told of anything by hand, by tests and adapters.
      this.#fault('request', fault);
    }
  }

  onRequest(request: IncomingMessage, response: ServerResponse, taken: boolean): boolean {
    if (this.#intake.sealed) return false;
    this.#follow(request, response);
    return !taken && this.#proxy.forwardings.serve(request, response);
  }

  claims(path: string): boolean {
    return this.#proxy.forwardings.at(path) !== undefined;
  }

  onThrow(response: ServerResponse): void {
    this.#observer.threw(response);
  }

  onUpgrade(...upgrade: Parameters<Endpoint['accept']>): void {
    this.#endpoint.accept(...upgrade);
  }

  disconnect(predicate: (connection: Connection) => boolean): number {
    return this.#endpoint.disconnect(predicate);
  }

  drain({ overMs = DRAIN_MS }: { overMs?: number } = {}): Promise<void> {
    if (!Number.isFinite(overMs) || overMs < 0)
      throw new ReqcastError('INVALID_OPTION', `drain overMs is ${overMs}; it must be a number, 0 or more.`);
    this.#closing ??= this.#close(overMs);
    return this.#closing;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(CLOSE_MS);
    return this.#closing;
  }

  async #close(overMs: number): Promise<void> {
    const { journal } = this.#options;
    const opened = await this.ready.then(
      () => true,
      () => false,
    );
    this.#observer.settle();
    if (opened) await journal.flush();
    await this.#hub.settled();
    const going = this.#endpoint.close(overMs);
    await Promise.all([going, this.#proxy.tunnels.close(), this.#push.close()]);
    // Until here upgrades are answered by us, with 503.
    for (const untap of this.#untap.values()) untap();
    this.#untap.clear();
    this.#observer.settle();
    this.#intake.seal();
    await journal.close();
  }
}
