import type { Entry } from '../journal/entry.ts';
import { segmentsOf } from './pattern-tree.ts';

/** An entry in the window, with what is worked out of it once for all who are sent it. */
export class Held {
  readonly entry: Entry;
  /** `undefined` until it is asked for, `null` if there is no data. */
  #json: string | null | undefined;
  #segments: readonly string[] | undefined;

  constructor(entry: Entry) {
    this.entry = entry;
  }

  /** The data as JSON. */
  get json(): string | undefined {
    const { data } = this.entry;
    if (this.#json === undefined) this.#json = data === undefined ? null : JSON.stringify(data);
    return this.#json ?? undefined;
  }

  /** The topic's, for a pattern tree. */
  get segments(): readonly string[] {
    this.#segments ??= segmentsOf(this.entry.topic as string);
    return this.#segments;
  }

  /** How many characters it takes to tell, about. */
  get length(): number {
    return (this.entry.topic?.length ?? 0) + (this.json?.length ?? 0);
  }
}
