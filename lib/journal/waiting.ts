import type { Draft } from './entry.ts';

/** Entries share a piece of memory of so many bytes; a larger one has its own. */
const SLAB_BYTES = 256 * 1024;

/** One character takes so many bytes at most. */
export const MOST_OF_A_CHARACTER = 3;

/**
 * An entry that waits for its offset. Its JSON waits outside of the heap: of thousands that wait the garbage collector
 * would copy each text twice, which took a seventh of the time of appending them.
 */
export class Waiting {
  readonly draft: Draft;
  readonly bytes: number;
  readonly #slab: Buffer;
  readonly #start: number;

  constructor(draft: Draft, slab: Buffer, start: number, bytes: number) {
    this.draft = draft;
    this.#slab = slab;
    this.#start = start;
    this.bytes = bytes;
  }

  /** The draft. */
  get json(): string {
    return this.#slab.toString('utf8', this.#start, this.#start + this.bytes);
  }

  /** Puts the JSON without its first `from` bytes into `room`. Returns how many bytes these were. */
  copy(room: Buffer, at: number, from: number): number {
    return this.#slab.copy(room, at, this.#start + from, this.#start + this.bytes);
  }
}

/** Where the JSON of waiting entries is. */
export class Slabs {
  #slab = Buffer.alloc(0);
  #used = 0;

  put(draft: Draft, json: string): Waiting {
    if (this.#slab.length - this.#used < json.length * MOST_OF_A_CHARACTER)
      this.#makeRoom(Buffer.byteLength(json));
    const bytes = this.#slab.write(json, this.#used);
    const waiting = new Waiting(draft, this.#slab, this.#used, bytes);
    this.#used += bytes;
    return waiting;
  }

  #makeRoom(bytes: number): void {
    if (this.#slab.length - this.#used >= bytes) return;
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.#used = 0;
  }
}
