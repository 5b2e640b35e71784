/**
 * Takes turns with the rest of the event loop: what runs here gets its share of the loop's time and no more, also of a
 * loop that rests. It may rest because those who would ask it wait for what is sent here: in the bench of the host a
 * share that grew with rest cost the app a tenth of its requests.
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
    const waitMs = this.#owed() - this.#creditMs;
    if (waitMs <= 0) setImmediate(() => this.#run(slice));
    else setTimeout(() => this.take(slice), waitMs);
  }

  #owed(): number {
    return Math.max(0, this.#owedMs - (performance.now() - this.#endedAt));
  }

  #run(slice: () => void): void {
    const owedMs = this.#owed();
    const begunAt = performance.now();
    slice();
    this.#endedAt = performance.now();
    this.#owedMs = owedMs + (this.#endedAt - begunAt) * this.#others;
  }
}
