/** What a connection may take. */
export interface TunnelLimits {
  /** Ends a tunnel in which nothing passes for so long, in milliseconds. @default no limit */
  idleTimeoutMs?: number;
  /** Ends a tunnel after so many bytes, both ways together. @default no limit */
  maxBytes?: number;
  /** Ends a tunnel after so long, in milliseconds. @default no limit */
  maxDurationMs?: number;
}

export type LimitReason = 'idle' | 'max-bytes' | 'max-duration';

/** Watches over one connection's limits; `onLimit` is called once at most. */
export class Limiter {
  readonly #maxBytes: number;
  readonly #onLimit: (reason: LimitReason) => void;
  readonly #idle: NodeJS.Timeout | undefined;
  readonly #end: NodeJS.Timeout | undefined;
  #bytes = 0;
  #over = false;

  constructor(limits: TunnelLimits, onLimit: (reason: LimitReason) => void) {
    const { idleTimeoutMs, maxBytes = Number.POSITIVE_INFINITY, maxDurationMs } = limits;
    this.#maxBytes = maxBytes;
    this.#onLimit = onLimit;
    this.#idle = this.#timer(idleTimeoutMs, 'idle');
    this.#end = this.#timer(maxDurationMs, 'max-duration');
  }

  /** So many bytes passed. */
  count(bytes: number): void {
    this.#bytes += bytes;
    this.#idle?.refresh();
    if (this.#bytes > this.#maxBytes) this.#hit('max-bytes');
  }

  /** The connection is ending by itself. */
  stop(): void {
    this.#over = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#end);
  }

  #timer(afterMs: number | undefined, reason: LimitReason): NodeJS.Timeout | undefined {
    return afterMs === undefined ? undefined : setTimeout(() => this.#hit(reason), afterMs).unref();
  }

  #hit(reason: LimitReason): void {
    if (this.#over) return;
    this.stop();
    this.#onLimit(reason);
  }
}
