import type { Entry } from '../entry.ts';

/**
 * Writers are processes; after so many others a writer is forgotten, and what it sent is looked for in the history.
 * About 1 MB.
 */
const MAX_WRITERS = 10_000;

/** How far one writer came: the numbers of its newest draft that was accepted, and of that which is in the journal. */
export interface Mark {
  accepted: number;
  stored: number;
}

/** What an entry keeps, so that whoever owns the journal next knows which drafts it has. */
export function originOf(writer: string, seq: number): string {
  return `${writer}:${seq}`;
}

/** The number of the draft, if it is this writer's. */
export function seqOf({ origin }: Entry, writer: string): number | undefined {
  if (!origin?.startsWith(`${writer}:`)) return undefined;
  return Number(origin.slice(writer.length + 1)) || undefined;
}

/** The writers that the journal has entries of. */
export class Writers {
  /** The one that wrote last is the last. */
  readonly #marks = new Map<string, Mark>();

  knows(writer: string): boolean {
    return this.#marks.has(writer);
  }

  markOf(writer: string): Mark {
    const mark = this.#marks.get(writer) ?? { accepted: 0, stored: 0 };
    this.#marks.delete(writer);
    this.#marks.set(writer, mark);
    if (this.#marks.size > MAX_WRITERS) this.#marks.delete(this.#marks.keys().next().value as string);
    return mark;
  }

  /** The journal has this entry. */
  store(entry: Entry): void {
    const writer = entry.origin?.split(':')[0];
    const seq = writer && seqOf(entry, writer);
    if (!seq) return;
    const mark = this.markOf(writer);
    mark.stored = Math.max(mark.stored, seq);
    mark.accepted = Math.max(mark.accepted, seq);
  }
}
