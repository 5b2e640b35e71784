import { Fuse } from '../engine/fuse.ts';
import { type Duplicate, duplicateOf, type RedisClient } from './client.ts';

/** Connecting includes TLS, the password and the nodes of a cluster. */
const CONNECT_MS = 5_000;
/** What has not been answered for so long, beyond what it was told to wait, has nobody at the other end. */
const ANSWER_MS = 3_000;

/** A connection of our own to Redis. It lives until the first thing that fails on it other than an error in a reply. */
export class Line {
  readonly #duplicate: Duplicate;
  readonly #fuse = new Fuse();

  private constructor(client: RedisClient) {
    this.#duplicate = duplicateOf(client);
    // Without a listener for `error` the process would die.
    this.#duplicate.on('error', (error) => this.#fail(error ?? new Error('the connection failed')));
    this.#duplicate.on('end', () => this.#fail(new Error('the connection was closed')));
  }

  static async open(client: RedisClient): Promise<Line> {
    const line = new Line(client);
    try {
      await line.#answered(line.#duplicate.connect(), CONNECT_MS);
      return line;
    } catch (error) {
      line.end();
      throw error;
    }
  }

  /** @param waitMs how long the command itself may wait */
  async call(key: string, args: readonly string[], waitMs = 0): Promise<unknown> {
    return this.#answered(this.#duplicate.call(key, args), waitMs + ANSWER_MS);
  }

  async #answered(answer: Promise<unknown>, ms: number): Promise<unknown> {
    // An event loop that was held up sees the timer first and the answer, if it is there, in the same turn.
    const late = () => setImmediate(() => this.#fail(new Error(`no answer for ${ms} ms`)));
    const timer = setTimeout(late, ms);
    try {
      return await this.#fuse.orBlown(answer);
    } finally {
      clearTimeout(timer);
    }
  }

  #fail(why: Error): void {
    if (this.#fuse.isBlown) return;
    this.#fuse.blow(why);
    try {
      this.#duplicate.end();
    } catch {
      // One that never was open cannot be closed.
    }
  }

  end(): void {
    this.#fail(new Error('the connection was closed'));
  }
}
