import type { Entry } from '../journal/entry.ts';
import { PatternTree } from './pattern-tree.ts';
import type { Format, Interest } from './sink.ts';
import type { Window } from './window.ts';

/** At most so many entries in a frame: a long replay leaves in several, so that no one of them holds the loop. */
const MAX_FRAME_ENTRIES = 1000;

/** At most so many characters, if it is more than one entry: a frame is what a reader that stalls costs. */
const MAX_FRAME_LENGTH = 65_536;

/** A page that would have to refresh for more topics than this refreshes all. */
const MAX_CHANGED_TOPICS = 1000;

/** So many different positions share a head before the frames made for them are forgotten: 1 MB of them. */
const MAX_MADE = 16;

/** A frame and how far it takes its reader; without a frame there was nothing to say. */
export interface Made<Frame> {
  readonly frame: Frame | undefined;
  readonly reached: number;
}

/** Subscribers that are sent the same: what one lacks is matched and encoded once for all of them. */
export class Group<Frame> {
  readonly key: string;
  members = 0;
  readonly #format: Format<Frame>;
  readonly #audience: ReadonlySet<string> | 'all';
  readonly #exact = new Set<string>();
  readonly #tree: PatternTree | undefined;
  readonly #made = new Map<number, Made<Frame>>();
  #madeAt = '';

  constructor(key: string, format: Format<Frame>, interest: Interest) {
    this.key = key;
    this.#format = format;
    this.#audience = interest.audience === 'all' ? 'all' : new Set(interest.audience);
    if (!interest.patterns) return;
    this.#tree = new PatternTree();
    for (const pattern of interest.patterns) {
      if (pattern.includes('*')) this.#tree.add(pattern);
      else this.#exact.add(pattern);
    }
  }

  /** The frame that takes a reader from offset `from` towards the head. */
  frame(window: Window, from: number): Made<Frame> {
    const { epoch, offset: head } = window.position;
    const now = `${epoch}:${head}`;
    if (this.#madeAt !== now || this.#made.size >= MAX_MADE) {
      this.#made.clear();
      this.#madeAt = now;
    }
    const known = this.#made.get(from);
    if (known) return known;
    const { seen, reached } = this.#cut(window, from, head);
    const frame = seen.length === 0 ? undefined : this.#format.encode(seen, { epoch, offset: reached });
    const made = { frame, reached };
    if (this.members > 1) this.#made.set(from, made);
    return made;
  }

  /** What its members see of the entries after `from`, as far as one frame goes. */
  #cut(window: Window, from: number, head: number): { seen: Entry[]; reached: number } {
    const to = Math.min(head, from + MAX_FRAME_ENTRIES);
    const seen: Entry[] = [];
    let length = 0;
    for (const entry of window.slice(from, to)) {
      if (!this.sees(entry)) continue;
      length += window.lengthOf(entry);
      if (seen.length > 0 && length > MAX_FRAME_LENGTH) return { seen, reached: entry.offset - 1 };
      seen.push(entry);
    }
    return { seen, reached: to };
  }

  /** The topics that changed for its members after the offset, or nothing if they are too many to tell. */
  changed(window: Window, since: number): string[] | undefined {
    const topics = new Set<string>();
    for (const last of window.changedSince(since)) if (this.sees(last)) topics.add(last.topic as string);
    return topics.size > MAX_CHANGED_TOPICS ? undefined : [...topics];
  }

  sees(entry: Pick<Entry, 'topic' | 'audience'>): boolean {
    if (entry.topic === undefined || !this.#mayMatch(entry.audience)) return false;
    return !this.#tree || this.#exact.has(entry.topic) || this.#tree.matches(entry.topic);
  }

  #mayMatch(audience: readonly string[] | undefined): boolean {
    if (!audience || this.#audience === 'all') return true;
    const mine = this.#audience;
    return audience.some((name) => mine.has(name));
  }
}

/** Equal for subscribers that share their frames. */
export function groupKey(format: Format<unknown>, interest: Interest): string {
  const patterns = interest.patterns && [...interest.patterns].sort();
  const audience = interest.audience === 'all' ? 'all' : [...interest.audience].sort();
  return JSON.stringify([format.name, patterns, audience]);
}
