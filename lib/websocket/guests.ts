import createDebug from 'debug';
import type { RawData } from 'ws';
import { CloseCode } from '../protocol/close-codes.ts';
import { HEARTBEAT_MS } from '../protocol/wire.ts';
import type { Connection, Destination, Guest, Handover, Line } from './destination.ts';
import { Pace } from './pace.ts';

/** A heartbeat is spread over its interval in so many parts: ten thousand pings at once would hold the loop. */
const PARTS = 30;

const debug = createDebug('reqcast:websocket');

const onError = (error: Error) => debug('closing: %s', error.message);

export interface GuestsOptions {
  /** Authorizing again must not take longer. */
  readonly handshakeTimeoutMs: number;
  /** `authorize` is asked again after so long; 0: never. */
  readonly reauthorizeMs: number;
  /** Who does not close after so long is cut off. */
  readonly closeTimeoutMs: number;
  /** @param fault what went wrong in the background */
  onFault(fault: unknown): void;
}

/** An open WebSocket. */
class Visit {
  /** Has said nothing since the last beat. */
  silent = false;
  again: NodeJS.Timeout | undefined;

  /** @param part of the interval its heartbeat is in */
  constructor(
    readonly guest: Guest,
    public connection: Connection,
    readonly part: number,
    readonly pace: Pace | undefined,
  ) {}
}

/** The open WebSockets, whatever is at their other end: their heartbeats, and the ways in which they are ended. */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #visits = new Map<Line, Visit>();
  readonly #heartbeat: NodeJS.Timeout;
  // The same for each line: it tells by `this` which. Closures for each are a good part of what an idle one costs.
  readonly #onPong: (this: Line) => void;
  readonly #onMessage: (this: Line, data: RawData, isBinary: boolean) => void;
  readonly #onClose: (this: Line) => void;
  #part = 0;
  #admitted = 0;

  constructor(options: GuestsOptions) {
    this.#options = options;
    const guests = this;
    this.#onPong = function () {
      const visit = guests.#visits.get(this);
      if (visit) visit.silent = false;
    };
    this.#onMessage = function (data, isBinary) {
      guests.#hear(this, data, isBinary);
    };
    this.#onClose = function () {
      guests.#forget(this);
    };
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS / PARTS).unref();
  }

  admit(destination: Destination | Handover, line: Line, guest: Guest): void {
    const { connection, maxMessagesPerSecond } = destination;
    const pace = maxMessagesPerSecond === undefined ? undefined : new Pace(maxMessagesPerSecond);
    const visit = new Visit(guest, connection, this.#admitted++ % PARTS, pace);
    line.on('error', onError);
    line.on('pong', this.#onPong);
    line.on('message', this.#onMessage);
    line.on('close', this.#onClose);
    this.#visits.set(line, visit);
    this.#askAgain(line, visit, destination);
  }

  #hear(line: Line, data: RawData, isBinary: boolean): void {
    const visit = this.#visits.get(line);
    if (!visit) return;
    visit.silent = false;
    if (visit.pace?.exceeded()) this.#turnOut(line, visit, CloseCode.policyViolation, 'too many messages');
    else visit.guest.hear?.(data, isBinary);
  }

  #forget(line: Line): void {
    const visit = this.#visits.get(line);
    if (!visit) return;
    clearTimeout(visit.again);
    this.#visits.delete(line);
    visit.guest.closed?.();
  }

  #beat(): void {
    this.#part = (this.#part + 1) % PARTS;
    for (const [ws, visit] of this.#visits) {
      if (visit.part !== this.#part) continue;
      // A tunnel whose target is slow pauses its WebSocket, and a pong waits behind the data.
      if (visit.silent && !ws.isPaused) {
        ws.terminate();
        continue;
      }
      visit.silent = true;
      ws.ping();
      visit.guest.beat();
    }
  }

  #askAgain(ws: Line, visit: Visit, destination: Destination | Handover): void {
    const { reauthorizeMs } = this.#options;
    if (reauthorizeMs === 0) return;
    visit.again = setTimeout(async () => {
      const allowed = await this.#isStillAllowed(visit, destination);
      if (!this.#visits.has(ws)) return;
      if (allowed) this.#askAgain(ws, visit, destination);
      else this.#turnOut(ws, visit);
    }, reauthorizeMs).unref();
  }

  /** Authorization that fails or takes too long has allowed nothing. */
  async #isStillAllowed(visit: Visit, destination: Destination | Handover): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#options.handshakeTimeoutMs).unref();
    });
    try {
      const connection = await Promise.race([destination.authorize(), late]);
      if (!connection) return false;
      visit.connection = connection;
      visit.guest.meet(connection.audiences);
      return true;
    } catch (fault) {
      this.#options.onFault(fault);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing passes from here on, though the other end may take its time to close. */
  #turnOut(ws: Line, { guest }: Visit, code: number = CloseCode.unauthorized, why = 'authorize again'): void {
    if (ws.readyState !== ws.OPEN) return;
    ws.close(code, why);
    guest.leave();
  }

  /** Ends those that the predicate names, and says how many. */
  disconnect(predicate: (connection: Connection) => boolean): number {
    const open = [...this.#visits].filter(([ws]) => ws.readyState === ws.OPEN);
    const named = open.filter(([, { connection }]) => predicate(connection));
    for (const [ws, visit] of named) this.#turnOut(ws, visit);
    return named.length;
  }

  /** Says goodbye to everyone, who shall come back spread over `overMs`; who has not gone after a while is cut off. */
  async dismiss(overMs: number): Promise<void> {
    clearInterval(this.#heartbeat);
    const open = [...this.#visits];
    const gone = open.map(([ws]) => new Promise<void>((resolve) => ws.once('close', () => resolve())));
    for (const [i, [ws, { guest }]] of open.entries()) {
      if (ws.readyState === ws.OPEN) guest.bye(((i + Math.random()) / open.length) * overMs);
      ws.close(CloseCode.goingAway, 'the server is going');
    }
    const timer = setTimeout(() => {
      for (const [ws] of open) ws.terminate();
    }, this.#options.closeTimeoutMs).unref();
    await Promise.all(gone);
    clearTimeout(timer);
  }
}
