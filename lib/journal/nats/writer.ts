import { randomBytes } from 'node:crypto';
import type { Batch } from '../engine/engine.ts';

/** What a process knows of its last batch, whichever session sent it. */
export class Writer {
  readonly #name = randomBytes(9).toString('base64url');
  #number = 0;
  #arrived = new Set<number>();

  /** @returns whether it was begun before */
  begin({ number }: Batch): boolean {
    if (this.#number === number) return true;
    this.#number = number;
    this.#arrived = new Set();
    return false;
  }

  /** The places in the batch of those that were not seen in the stream. */
  missing({ drafts }: Batch): number[] {
    return [...drafts.keys()].filter((index) => !this.#arrived.has(index));
  }

  idOf({ number }: Batch, index: number): string {
    return `${this.#name}.${number}.${index}`;
  }

  /** A message was read. */
  see(id: string): void {
    const [name, number, index] = id.split('.');
    if (name === this.#name && Number(number) === this.#number) this.#arrived.add(Number(index));
  }
}
