import { Refusal } from './refusal.ts';

/** This machine's own: a reverse proxy beside us has it for all of its clients. */
const LOOPBACK = /^(127\.|::1$)/;

/** Who is refused may come again at once, and often. */
const REPORT_MS = 60_000;

export interface CapacityRule {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Addresses come from the proxy's header, so loopback is a client's too. */
  readonly trustProxy: boolean | number;
}

/** How many connections there are, in all and for each address. */
export class Capacity {
  readonly #rule: CapacityRule;
  readonly #onFull: (refusal: Refusal) => void;
  readonly #byAddress = new Map<string, number>();
  #all = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** @param onFull told of a refusal, at most once a minute: whoever runs the server has to know */
  constructor(rule: CapacityRule, onFull: (refusal: Refusal) => void) {
    this.#rule = rule;
    this.#onFull = onFull;
  }

  /**
   * Counts one more, until the function that it returns is called.
   *
   * @throws Refusal 503 or 429
   */
  enter(address: string | undefined): () => void {
    const { maxConnections, maxConnectionsPerAddress, trustProxy } = this.#rule;
    if (this.#all >= maxConnections) this.#refuse(503, `the server has ${maxConnections} connections`);
    const counted = address !== undefined && (trustProxy || !LOOPBACK.test(address)) ? address : undefined;
    const before = this.#byAddress.get(counted ?? '') ?? 0;
    if (before >= maxConnectionsPerAddress)
      this.#refuse(429, `${counted} has ${maxConnectionsPerAddress} connections`);
    this.#all++;
    if (counted !== undefined) this.#byAddress.set(counted, before + 1);
    return () => this.#leave(counted);
  }

  #leave(address: string | undefined): void {
    this.#all--;
    if (address === undefined) return;
    const left = (this.#byAddress.get(address) as number) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }

  #refuse(status: 429 | 503, why: string): never {
    const message = `No more connections are taken: ${why}.`;
    const refusal = new Refusal(status, 'TOO_MANY_CONNECTIONS', message, { 'Retry-After': '30' });
    const now = performance.now();
    if (now - this.#reportedAt > REPORT_MS) {
      this.#reportedAt = now;
      this.#onFull(refusal);
    }
    throw refusal;
  }
}
