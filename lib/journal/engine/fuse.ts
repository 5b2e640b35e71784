/**
 * Blows once, and all that waits rejects. `Promise.race` with a promise that stands for that would do the same and keep
 * each answer for as long as a connection lives.
 */
export class Fuse {
  #why: Error | undefined;
  readonly #waiting = new Set<(why: Error) => void>();

  get isBlown(): boolean {
    return this.#why !== undefined;
  }

  blow(why: Error): void {
    if (this.#why) return;
    this.#why = why;
    for (const reject of this.#waiting) reject(why);
    this.#waiting.clear();
  }

  /** What the other becomes, or a rejection if the fuse blows first. */
  orBlown<T>(other: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#why) reject(this.#why);
      else this.#waiting.add(reject);
      other.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }
}
