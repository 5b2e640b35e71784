/** Messages are counted over so long, so that a page may say much at once when it begins. */
const SPAN_MS = 10_000;

/** How fast somebody speaks. */
export class Pace {
  readonly #most: number;
  /** In whole milliseconds: a fraction would be an object of its own. */
  #since = 0;
  #count = 0;

  constructor(perSecond = Number.POSITIVE_INFINITY) {
    this.#most = (perSecond * SPAN_MS) / 1000;
  }

  /** Counts a message, and tells whether it is one too many. */
  exceeded(): boolean {
    const now = Math.trunc(performance.now());
    if (now - this.#since > SPAN_MS) {
      this.#since = now;
      this.#count = 0;
    }
    return ++this.#count > this.#most;
  }
}
