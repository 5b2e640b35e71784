import createDebug from 'debug';
import { ReqcastError } from '../../protocol/errors.ts';
import { MAX_PENDING_ENTRIES } from '../outbox.ts';
import { Bell } from './bell.ts';

const debug = createDebug('reqcast:journal');

/** After a failure it is tried again after this long, then after twice as long each time, up to the latter. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;

/** Counts failures, tells of an outage once, and says how long to wait. */
export class Outage {
  /** What cannot be reached, for messages. */
  readonly #engine: string;
  readonly #fault: (error: ReqcastError) => void;
  readonly #again = new Bell();
  #failures = 0;
  #told = false;
  #pausing = false;

  constructor(engine: string, fault: (error: ReqcastError) => void) {
    this.#engine = engine;
    this.#fault = fault;
  }

  /** A connection serves. */
  over(): void {
    if (this.#told) debug('%s is reached again', this.#engine);
    this.#failures = 0;
    this.#told = false;
  }

  /**
   * A connection broke, or could not be made.
   *
   * @param atFirst there has been none before. Else the first failure is no outage yet: connections break, and the next
   * one is made at once
   * @returns whether it is an outage
   */
  failed(cause: Error, atFirst: boolean): boolean {
    debug('%s: %s', this.#engine, cause.message);
    if (++this.#failures === 1 && !atFirst) return false;
    if (this.#told) return true;
    this.#told = true;
    const what = `${this.#engine} cannot be reached: ${cause.message}.`;
    const meanwhile = `Entries wait in memory, up to ${MAX_PENDING_ENTRIES}, and clients stay connected; it is tried again until it succeeds.`;
    const todo = `Check that the server of the client that the journal was given runs, and that this process may reach it.`;
    this.#fault(new ReqcastError('JOURNAL_UNREACHABLE', `${what} ${meanwhile} ${todo}`, { cause }));
    return true;
  }

  /** Resolves when it is time to try again. */
  async pause(): Promise<void> {
    if (!this.#told) return;
    const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10));
    this.#pausing = true;
    // Many processes lose one engine at once.
    await this.#again.wait(longest * (0.5 + Math.random() / 2));
    this.#pausing = false;
  }

  /** Ends a pause. */
  tryAgain(): void {
    if (this.#pausing) this.#again.ring();
  }
}
