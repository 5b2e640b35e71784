import type { Connection } from './destination.ts';
import { Refusal } from './refusal.ts';

/** Tells when its client has left: a socket, or a response. */
interface Left {
  on(what: 'close', listener: () => void): unknown;
  off(what: 'close', listener: () => void): unknown;
}

/** A request that is being decided on: not longer than the handshake may take, nor than its client waits. */
export class Arrival {
  /** Whom `disconnect` named meanwhile; what was decided before that does not count. */
  readonly #unwelcome: ((connection: Connection) => boolean)[] = [];
  readonly #socket: Left;
  readonly #timeoutMs: number;
  #controller: AbortController | undefined;
  #ended: Refusal | undefined;
  /** While it is being decided on. */
  #refuse: ((reason: Refusal) => void) | undefined;

  constructor(socket: Left, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
  }

  /** Aborted at the end. Few ask for it, and one for each would be a good part of what a storm of arrivals costs. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.#controller.abort(this.#ended);
    return this.#controller.signal;
  }

  /**
   * Gives what `deciding` gives. What comes after the end of the arrival goes to `abandon`.
   *
   * @throws Refusal
   */
  decide<T>(deciding: Promise<T>, abandon: (late: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const onClose = () => this.end(new Refusal(499, 'GONE', 'The client went away.'));
      const timer = setTimeout(() => this.end(lateRefusal()), this.#timeoutMs).unref();
      const isFirst = () => {
        if (!this.#refuse) return false;
        this.#refuse = undefined;
        clearTimeout(timer);
        this.#socket.off('close', onClose);
        return true;
      };
      this.#refuse = (reason) => {
        if (isFirst()) reject(reason);
      };
      this.#socket.on('close', onClose);
      deciding.then(
        (decided) => (isFirst() ? resolve(decided) : abandon(decided)),
        (reason) => isFirst() && reject(reason),
      );
      if (this.#ended) this.#refuse(this.#ended);
    });
  }

  end(reason: Refusal): void {
    this.#ended ??= reason;
    this.#controller?.abort(reason);
    this.#refuse?.(reason);
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

const lateRefusal = () =>
  new Refusal(503, 'HANDSHAKE_TIMEOUT', 'The server took too long to decide.', { 'Retry-After': '1' });
