import type { Outbox } from '../outbox.ts';
import { Bell } from './bell.ts';
import type { Batch, Step } from './engine.ts';

/** One step is about so much at most: the engine serves nobody else meanwhile, and this is a few milliseconds. */
const MAX_BATCH_BYTES = 256 * 1024;

/** Brings what was accepted to the engine: one step at a time, each with all that has come since the last. */
export class Sender {
  readonly #outbox: Outbox;
  readonly #work = new Bell();
  /** Kept until it is known to be there: with the same number it is added once, however often it is sent. */
  #batch: Batch | undefined;
  #batches = 0;
  #renew = false;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** There is something to send, or `going` has changed. */
  wake(): void {
    this.#work.ring();
  }

  /** Sends until it goes no longer. After a failure, run it again. */
  async run(going: () => boolean, take: (step: Omit<Step, 'known'>) => Promise<void>): Promise<void> {
    while (going()) {
      if (!this.#batch && this.#outbox.size > 0) this.#batch = this.#next();
      if (!this.#batch) {
        await this.#work.wait();
        continue;
      }
      await take({ batch: this.#batch });
      const { length } = this.#batch.drafts;
      this.#batch = undefined;
      this.#outbox.settle(length);
      this.#renew ||= this.#outbox.overflowed();
      if (!this.#renew) continue;
      await take({ renew: true });
      this.#renew = false;
    }
  }

  #next(): Batch {
    const drafts = this.#outbox.take(MAX_BATCH_BYTES).map(({ json }) => json);
    return { number: ++this.#batches, drafts };
  }
}
