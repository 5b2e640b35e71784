import type { Duplex } from 'node:stream';
import type { Connection } from './destination.ts';
import { Refusal } from './refusal.ts';

/** An upgrade request that is being decided on: not longer than the handshake may take, nor than its client waits. */
export class Arrival {
  /** Whom `disconnect` named meanwhile; what was decided before that does not count. */
  readonly #unwelcome: ((connection: Connection) => boolean)[] = [];
  readonly #controller = new AbortController();
  readonly #socket: Duplex;
  readonly #timeoutMs: number;

  constructor(socket: Duplex, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Gives what `act` gives. What comes after the end of the arrival goes to `abandon`.
   *
   * @throws Refusal
   */
  async decide<T>(act: (signal: AbortSignal) => Promise<T>, abandon: (late: T) => void): Promise<T> {
    const { signal } = this.#controller;
    const late = new Refusal(503, 'HANDSHAKE_TIMEOUT', 'The server took too long to decide.', {
      'Retry-After': '1',
    });
    const timer = setTimeout(() => this.end(late), this.#timeoutMs).unref();
    const onClose = () => this.end(new Refusal(499, 'GONE', 'The client went away.'));
    this.#socket.once('close', onClose);
    const ended = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const acting = act(signal);
    try {
      return await Promise.race([acting, ended]);
    } catch (reason) {
      acting.then(abandon, () => {});
      throw reason;
    } finally {
      clearTimeout(timer);
      this.#socket.off('close', onClose);
    }
  }

  end(reason: Refusal): void {
    this.#controller.abort(reason);
  }

  disconnect(predicate: (connection: Connection) => boolean): void {
    this.#unwelcome.push(predicate);
  }

  /** @throws Refusal if the connection was disconnected before it opened */
  assertWelcome(connection: Connection): void {
    if (this.#unwelcome.some((predicate) => predicate(connection)))
      throw new Refusal(401, 'UNAUTHORIZED', 'Disconnected while connecting.');
  }
}
