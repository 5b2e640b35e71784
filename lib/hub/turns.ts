import { performance } from 'node:perf_hooks';

/** A timer's step: how often a pause looks whether it may end. */
const STEP_MS = 1;

/**
 * Takes turns with the rest of the event loop. What runs here gets its share of the loop's time while others want it,
 * and all of it when nobody does.
 */
export class Turns {
  /** Milliseconds for the others for each one taken. */
  readonly #others: number;
  /** So many may be owed: what is over soon need not wait for what was before it. */
  readonly #creditMs: number;
  #owedMs = 0;
  #endedAt = 0;

  /**
   * @param share more than 0, and 1 at most
   * @param sliceMs how long a slice is at most
   */
  constructor(share: number, sliceMs: number) {
    this.#others = 1 / share - 1;
    this.#creditMs = sliceMs * this.#others;
  }

  /** Calls `slice` in a turn of its own, as soon as the share allows it: in the next one if little was taken lately. */
  take(slice: () => void): void {
    const paidMs = performance.now() - this.#endedAt;
    if (this.#owedMs - paidMs <= this.#creditMs) setImmediate(() => this.#run(slice));
    else this.#pause(slice);
  }

  /** Only a pause tells whether others want the loop: while an immediate waits, it never rests. */
  #pause(slice: () => void): void {
    const before = performance.eventLoopUtilization();
    setTimeout(() => {
      const isIdle = performance.eventLoopUtilization(before).utilization < 0.5;
      if (isIdle) this.#owedMs = 0;
      this.take(slice);
    }, STEP_MS);
  }

  #run(slice: () => void): void {
    const begunAt = performance.now();
    const owedMs = Math.max(0, this.#owedMs - (begunAt - this.#endedAt));
    slice();
    this.#endedAt = performance.now();
    this.#owedMs = owedMs + (this.#endedAt - begunAt) * this.#others;
  }
}
