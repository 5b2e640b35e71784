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

/** Where a connection comes from, shared by all from there; `address` is absent where nobody counts. */
export interface Source {
  readonly address: string | undefined;
  connections: number;
}

/** How many connections there are, in all and for each address. */
export class Capacity {
  readonly #rule: CapacityRule;
  readonly #onFull: (refusal: Refusal) => void;
  readonly #byAddress = new Map<string, Source>();
  readonly #uncounted: Source = { address: undefined, connections: 0 };
  #all = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** @param onFull told of a refusal, at most once a minute: whoever runs the server has to know */
  constructor(rule: CapacityRule, onFull: (refusal: Refusal) => void) {
    this.#rule = rule;
    this.#onFull = onFull;
  }

  /**
   * Counts one more, until `leave` is told of it.
   *
   * @throws Refusal 503 or 429
   */
  enter(address: string | undefined): Source {
    const { maxConnections, maxConnectionsPerAddress } = this.#rule;
    if (this.#all >= maxConnections) this.#refuse(503, `the server has ${maxConnections} connections`);
    const source = this.#sourceOf(address);
    if (source.address !== undefined && source.connections >= maxConnectionsPerAddress)
      this.#refuse(429, `${address} has ${maxConnectionsPerAddress} connections`);
    if (source.connections === 0 && source.address !== undefined) this.#byAddress.set(source.address, source);
    source.connections++;
    this.#all++;
    return source;
  }

  #sourceOf(address: string | undefined): Source {
    if (address === undefined || (!this.#rule.trustProxy && LOOPBACK.test(address))) return this.#uncounted;
    return this.#byAddress.get(address) ?? { address, connections: 0 };
  }

  leave(source: Source): void {
    this.#all--;
    if (--source.connections === 0 && source.address !== undefined) this.#byAddress.delete(source.address);
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
