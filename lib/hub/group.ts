import type { Entry } from '../journal/entry.ts';
import type { Matcher } from '../protocol/matcher.ts';
import { compilePattern } from '../protocol/pattern.ts';
import type { Format, Interest } from './sink.ts';
import type { Window } from './window.ts';

/** At most so many entries in a frame: a long replay leaves in several, so that no one of them holds the loop. */
const MAX_FRAME_ENTRIES = 1000;

/** A page that would have to refresh for more topics than this refreshes all. */
const MAX_CHANGED_TOPICS = 1000;

/** So many different positions share a head before the frames made for them are forgotten. */
const MAX_MADE = 64;

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
  readonly #matchers: Matcher[] | undefined;
  readonly #made = new Map<number, Made<Frame>>();
  #madeAt = '';

  constructor(key: string, format: Format<Frame>, interest: Interest) {
    this.key = key;
    this.#format = format;
    this.#audience = interest.audience === 'all' ? 'all' : new Set(interest.audience);
    if (!interest.patterns) return;
    this.#matchers = [];
    for (const pattern of interest.patterns) {
      if (pattern.includes('*')) this.#matchers.push(compilePattern(pattern));
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
    const reached = Math.min(head, from + MAX_FRAME_ENTRIES);
    const seen = window.slice(from, reached).filter((entry) => this.sees(entry));
    const frame = seen.length === 0 ? undefined : this.#format.encode(seen, { epoch, offset: reached });
    const made = { frame, reached };
    this.#made.set(from, made);
    return made;
  }

  /** The topics that changed for its members after the offset, or nothing if they are too many to tell. */
  changed(window: Window, since: number): string[] | undefined {
    const topics = new Set<string>();
    for (const last of window.changedSince(since)) if (this.sees(last)) topics.add(last.topic as string);
    return topics.size > MAX_CHANGED_TOPICS ? undefined : [...topics];
  }

  sees(entry: Pick<Entry, 'topic' | 'audience'>): boolean {
    if (entry.topic === undefined || !this.#mayMatch(entry.audience)) return false;
    if (!this.#matchers || this.#exact.has(entry.topic)) return true;
    return this.#matchers.some((matches) => matches(entry.topic as string));
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
