import type { Entry } from '../journal/entry.ts';

/** So many pairs of topic and audience are remembered: about 2 MB, and more than most apps have routes and roles. */
export const MAX_TOPICS = 10_000;

/** A topic, who may see it, and the offset at which it last happened. */
export interface LastEntry extends Pick<Entry, 'topic' | 'audience'> {
  offset: number;
}

/**
 * The last offset of each topic, for subscribers that were away for too long to be told each entry. A topic counts
 * once for each audience, because what one subscriber may not see must not show as a change to it.
 */
export class TopicTable {
  /** In the order of their offsets. */
  readonly #last = new Map<string, LastEntry>();
  /** The last of all: what happens often mostly happens several times in a row. */
  #newest: { key: string; last: LastEntry } | undefined;
  /** Who goes next. Kept, for a new iterator would walk over all that have gone. */
  #oldest = this.#last.entries();
  readonly #most: number;
  #floor = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** From this offset on it knows of every topic that happened. */
  get floor(): number {
    return this.#floor;
  }

  reset(start: number): void {
    this.#last.clear();
    this.#newest = undefined;
    this.#oldest = this.#last.entries();
    this.#floor = start;
  }

  push({ topic, audience, offset }: Entry): void {
    if (topic === undefined) return;
    const key = audience ? keyOf(topic, audience) : topic;
    if (this.#newest?.key === key) {
      this.#newest.last.offset = offset;
      return;
    }
    const last = this.#last.get(key) ?? { topic, audience, offset };
    last.offset = offset;
    this.#last.delete(key);
    this.#last.set(key, last);
    this.#newest = { key, last };
    if (this.#last.size <= this.#most) return;
    const [oldest, { offset: forgotten }] = this.#oldest.next().value as [string, LastEntry];
    this.#last.delete(oldest);
    this.#floor = forgotten;
  }

  /** What happened after the offset, oldest first. */
  *since(offset: number): Iterable<LastEntry> {
    for (const last of this.#last.values()) if (last.offset > offset) yield last;
  }
}

/** A topic has no white space. */
function keyOf(topic: string, audience: readonly string[]): string {
  return audience.length === 1
    ? `${topic} ${audience[0]}`
    : `${topic}\n${JSON.stringify([...audience].sort())}`;
}
