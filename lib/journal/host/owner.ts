import type { Socket } from 'node:net';
import type { ReqcastError } from '../../protocol/errors.ts';
import type { Position } from '../../protocol/position.ts';
import type { Draft, Entry } from '../entry.ts';
import type { Journal } from '../journal.ts';
import type { Query } from '../query.ts';
import { Guest, type House } from './guest.ts';
import { Ring } from './ring.ts';
import { Seat } from './seat.ts';
import { type Mark, seqOf, Writers } from './writers.ts';

/** Who was away is sent what is kept for it: so many entries, as many as the window of a hub has by default. */
const RING_ENTRIES = 10_000;

/** The owner is heard at least this often. */
export const BEAT_MS = 1_000;

/** While so many entries wait for the journal, nobody is listened to: what others have to say waits with them. */
const MAX_WAITING = 10_000;

export interface OwnerSettings {
  readonly socketPath: string;
  /** The permissions of the socket. */
  readonly mode: number;
  /** Makes the journal; called by who has the socket. */
  readonly journal: () => Journal;
  readonly onFault: (error: ReqcastError) => void;
}

/** The process that has the journal, and serves it to itself and to others. */
export class Owner implements House {
  readonly journal: Journal;
  readonly ring: Ring;
  readonly #seat: Seat;
  readonly #writers = new Writers();
  readonly #guests = new Set<Guest>();
  readonly #beat: NodeJS.Timeout;
  /** Those that wait for room. */
  #waiting: (() => void)[] = [];
  #scheduled = false;
  #closing: Promise<void> | undefined;

  private constructor(seat: Seat, journal: Journal, ring: Ring) {
    this.#seat = seat;
    this.journal = journal;
    this.ring = ring;
    this.#beat = setInterval(() => this.#tick(), BEAT_MS).unref();
  }

  /**
   * Takes the seat, then opens the journal. Who knocks meanwhile waits.
   *
   * @param history so many entries at least are kept for who was away
   * @throws what taking the seat or opening the journal throws; then the seat is free
   */
  static async open(settings: OwnerSettings, history: number): Promise<Owner> {
    const early: Socket[] = [];
    let receive = (socket: Socket): void => void early.push(socket);
    const seat = await Seat.take(settings.socketPath, settings.mode, (socket) => receive(socket));
    let owner: Owner | undefined;
    try {
      const size = Math.max(RING_ENTRIES, history);
      owner = new Owner(seat, settings.journal(), new Ring(size));
      await owner.#open(size, settings.onFault);
      receive = owner.#admit.bind(owner);
      early.forEach(receive);
      return owner;
    } catch (error) {
      await owner?.close();
      seat.leave();
      for (const socket of early) socket.destroy();
      throw error;
    }
  }

  async #open(history: number, fault: (error: ReqcastError) => void): Promise<void> {
    const reset = (start: Position) => this.#changed(() => this.ring.reset(start));
    const deliver = (entries: readonly Entry[]) => this.#changed(() => this.#deliver(entries));
    await this.journal.open({ reset, deliver, fault }, history);
  }

  #admit(socket: Socket): void {
    const guest = new Guest(socket, this);
    this.#guests.add(guest);
    socket.on('close', () => this.#guests.delete(guest));
    void guest.serve();
    // Whoever comes while it ends has to go at once.
    if (this.#closing) guest.end();
  }

  #deliver(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.ring.push(entry);
      this.#writers.store(entry);
    }
    for (const go of this.#waiting.splice(0)) go();
  }

  /** What changes within a turn of the event loop leaves together. */
  #changed(change: () => void): void {
    change();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const guest of this.#guests) guest.wake();
    });
  }

  #tick(): void {
    const { connected, waiting } = this.journal.stats();
    for (const guest of this.#guests) guest.beat(connected, waiting === 0);
  }

  async room(): Promise<void> {
    while (!this.#closing && this.journal.stats().waiting >= MAX_WAITING)
      await new Promise<void>((go) => this.#waiting.push(go));
  }

  append(draft: Draft): void {
    this.journal.append(draft);
  }

  accept(writer: string, seq: number): boolean {
    const mark = this.#writers.markOf(writer);
    if (seq <= mark.accepted) return false;
    mark.accepted = seq;
    return true;
  }

  markOf(writer: string): Mark {
    return this.#writers.markOf(writer);
  }

  /** Writers whose newest entry lies further back than what was read at the start are looked for. */
  async recall(writer: string, since: Position | undefined): Promise<void> {
    const { epoch } = this.ring.position;
    if (since?.epoch !== epoch || since.offset >= this.ring.floor || this.#writers.knows(writer)) return;
    for await (const entry of this.journal.query({ tasks: 'separate' })) {
      if (entry.offset <= since.offset) return;
      if (seqOf(entry, writer) === undefined) continue;
      this.#writers.store(entry);
      return;
    }
  }

  renew(): void {
    this.journal.renew?.();
  }

  query(query: Query): AsyncIterable<Entry> {
    return this.journal.query(query);
  }

  /** Ends the journal and then leaves the seat, so that who takes it can open the journal at once. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const go of this.#waiting.splice(0)) go();
    await this.journal.close();
    clearInterval(this.#beat);
    for (const guest of this.#guests) guest.wake();
    this.#seat.leave();
    for (const guest of this.#guests) guest.end();
  }
}
