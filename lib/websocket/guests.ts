import { CloseCode } from '../protocol/close-codes.ts';
import { HEARTBEAT_MS } from '../protocol/wire.ts';
import type { Capacity, Source } from './capacity.ts';
import type { Connection, Found, Guest, Line } from './destination.ts';
import { type House, Visit, type VisitOptions } from './visit.ts';

/** A heartbeat is spread over its interval in so many parts: ten thousand pings at once would hold the loop. */
const PARTS = 30;

export interface GuestsOptions extends VisitOptions {
  /** Who does not close after so long is cut off. */
  readonly closeTimeoutMs: number;
}

/** The open WebSockets, whatever is at their other end: their heartbeats, and the ways in which they are ended. */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #house: House;
  readonly #visits = new Set<Visit>();
  readonly #heartbeat: NodeJS.Timeout;
  #part = 0;
  #admitted = 0;

  /** @param capacity told of each that leaves */
  constructor(options: GuestsOptions, capacity: Capacity) {
    this.#options = options;
    this.#house = {
      options,
      forget: (visit) => {
        if (this.#visits.delete(visit)) capacity.leave(visit.source);
      },
    };
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS / PARTS).unref();
  }

  admit(destination: Found, line: Line, guest: Guest, source: Source): void {
    const visit = new Visit(this.#house, destination, line, guest, source, this.#admitted++ % PARTS);
    line.visit = visit;
    this.#visits.add(visit);
  }

  #beat(): void {
    this.#part = (this.#part + 1) % PARTS;
    for (const visit of this.#visits) if (visit.part === this.#part) visit.beat();
  }

  /** Ends those that the predicate names, and says how many. */
  disconnect(predicate: (connection: Connection) => boolean): number {
    const open = [...this.#visits].filter((visit) => visit.isOpen);
    const named = open.filter(({ connection }) => predicate(connection));
    for (const visit of named) visit.turnOut();
    return named.length;
  }

  /** Says goodbye to everyone, who shall come back spread over `overMs`; who has not gone after a while is cut off. */
  async dismiss(overMs: number): Promise<void> {
    clearInterval(this.#heartbeat);
    const open = [...this.#visits];
    const gone = open.map(({ line }) => new Promise<void>((resolve) => line.once('close', () => resolve())));
    for (const [i, visit] of open.entries()) {
      if (visit.isOpen) visit.guest.bye(((i + Math.random()) / open.length) * overMs);
      visit.line.close(CloseCode.goingAway, 'the server is going');
    }
    const timer = setTimeout(() => {
      for (const { line } of open) line.terminate();
    }, this.#options.closeTimeoutMs).unref();
    await Promise.all(gone);
    clearTimeout(timer);
  }
}
