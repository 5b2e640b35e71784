import type { Entry } from '../journal/entry.ts';

/** So many pairs of topic and audience are remembered: about 2 MB, and more than most apps have routes and roles. */
export const MAX_TOPICS = 10_000;

/** A topic, who may see it, and the offset at which it last happened. */
export type LastEntry = Pick<Entry, 'topic' | 'audience' | 'offset'>;

/** One in the chain of all. */
interface Link {
  readonly topic: string;
  readonly audience: Entry['audience'];
  offset: number;
  older: Link | undefined;
  newer: Link | undefined;
}

/**
 * The last offset of each topic, for subscribers that were away for too long to be told each entry. A topic counts
 * once for each audience, because what one subscriber may not see must not show as a change to it.
 *
 * They are a chain in the order of their offsets, into which a topic is put anew when it happens again. The order of a Map
 * would do, but for what it costs: it walks over all that were deleted to find the first one, and an iterator that
 * stays at the first one keeps every table alive that the Map ever had.
 */
export class TopicTable {
  readonly #last = new Map<string, Link>();
  #oldest: Link | undefined;
  #newest: Link | undefined;
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
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#floor = start;
  }

  push({ topic, audience, offset }: Entry): void {
    if (topic === undefined) return;
    const newest = this.#newest;
    if (newest && newest.topic === topic && isSame(newest.audience, audience)) {
      newest.offset = offset;
      return;
    }
    const key = keyOf(topic, audience);
    const known = this.#last.get(key);
    if (known) {
      known.offset = offset;
      this.#take(known);
      this.#put(known);
      return;
    }
    const link = { topic, audience, offset, older: undefined, newer: undefined };
    this.#last.set(key, link);
    this.#put(link);
    if (this.#last.size > this.#most) this.#forget(this.#oldest as Link);
  }

  /** What happened after the offset, oldest first. */
  *since(offset: number): Iterable<LastEntry> {
    let link = this.#newest;
    while (link?.older && link.older.offset > offset) link = link.older;
    for (; link; link = link.newer) if (link.offset > offset) yield link;
  }

  #forget(link: Link): void {
    this.#take(link);
    this.#last.delete(keyOf(link.topic, link.audience));
    this.#floor = link.offset;
  }

  #take(link: Link): void {
    const { older, newer } = link;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }

  #put(link: Link): void {
    link.older = this.#newest;
    link.newer = undefined;
    if (this.#newest) this.#newest.newer = link;
    else this.#oldest = link;
    this.#newest = link;
  }
}

/** False also if it would take long to tell. */
function isSame(one: Entry['audience'], other: Entry['audience']): boolean {
  return one === other || (one?.length === 1 && other?.length === 1 && one[0] === other[0]);
}

/** A topic has no white space, so no other topic and audience give the same. */
function keyOf(topic: string, audience: Entry['audience']): string {
  if (!audience) return topic;
  return audience.length === 1
    ? `${topic} ${audience[0]}`
    : `${topic}\n${JSON.stringify([...audience].sort())}`;
}
