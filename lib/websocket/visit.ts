import createDebug from 'debug';
import type { RawData } from 'ws';
import { CloseCode } from '../protocol/close-codes.ts';
import type { Source } from './capacity.ts';
import type { Connection, Found, Guest, Line, LineKeeper } from './destination.ts';
import { Pace } from './pace.ts';

const debug = createDebug('reqcast:websocket');

/** What visits share: one object for all of them. */
export interface House {
  readonly options: VisitOptions;
  /** The visit is over. */
  forget(visit: Visit): void;
}

export interface VisitOptions {
  /** Authorizing again must not take longer. */
  readonly handshakeTimeoutMs: number;
  /** `authorize` is asked again after so long; 0: never. */
  readonly reauthorizeMs: number;
  /** @param fault what went wrong in the background */
  onFault(fault: unknown): void;
}

/** An open WebSocket: who it is, whether it lives, and how it is ended. There are many: its pace is no object of its own. */
export class Visit extends Pace implements LineKeeper {
  readonly line: Line;
  readonly guest: Guest;
  /** As which connection it is counted. */
  readonly source: Source;
  /** The part of the heartbeat's interval that is its own. */
  readonly part: number;
  connection: Connection;
  readonly #house: House;
  /** Has said nothing since the last beat. */
  #silent = false;
  #again: NodeJS.Timeout | undefined;

  constructor(house: House, destination: Found, line: Line, guest: Guest, source: Source, part: number) {
    super(destination.maxMessagesPerSecond);
    this.line = line;
    this.guest = guest;
    this.source = source;
    this.part = part;
    this.connection = destination.connection;
    this.#house = house;
    if (house.options.reauthorizeMs > 0) this.#askAgain(destination);
  }

  get isOpen(): boolean {
    return this.line.readyState === this.line.OPEN;
  }

  heard(data: RawData, isBinary: boolean): void {
    this.#silent = false;
    if (this.exceeded()) this.turnOut(CloseCode.tryLater, 'too many messages');
    else this.guest.hear?.(data, isBinary);
  }

  alive(): void {
    this.#silent = false;
  }

  failed(error: Error): void {
    debug('closing: %s', error.message);
  }

  closed(): void {
    clearTimeout(this.#again);
    this.#house.forget(this);
    this.guest.closed?.();
  }

  beat(): void {
    // A tunnel whose target is slow pauses its WebSocket, and a pong waits behind the data.
    if (this.#silent && !this.line.isPaused) {
      this.line.terminate();
      return;
    }
    this.#silent = true;
    this.line.ping();
    this.guest.beat();
  }

  #askAgain(destination: Found): void {
    this.#again = setTimeout(async () => {
      const allowed = await this.#isStillAllowed(destination);
      if (this.line.readyState > this.line.OPEN) return;
      if (allowed) this.#askAgain(destination);
      else this.turnOut();
    }, this.#house.options.reauthorizeMs).unref();
  }

  /** Authorization that fails or takes too long has allowed nothing. */
  async #isStillAllowed(destination: Found): Promise<boolean> {
    const { handshakeTimeoutMs, onFault } = this.#house.options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), handshakeTimeoutMs).unref();
    });
    try {
      const connection = await Promise.race([destination.authorize(), late]);
      if (!connection) return false;
      this.connection = connection;
      this.guest.meet(connection.audiences);
      return true;
    } catch (fault) {
      onFault(fault);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing passes from here on, though the other end may take its time to close. */
  turnOut(code: number = CloseCode.unauthorized, why = 'authorize again'): void {
    if (!this.isOpen) return;
    this.line.close(code, why);
    this.guest.leave();
  }
}
