import type { Frames } from './frames.ts';
import type { Held } from './held.ts';
import { PatternTree, segmentsOf } from './pattern-tree.ts';
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

/** By which group a reader was served, up to an offset. */
export interface Told {
  readonly group: Group<unknown>;
  readonly to: number;
}

/** Subscribers that are sent the same: what one lacks is matched and encoded once for all of them. */
export class Group<Frame> {
  readonly key: string;
  readonly interest: Interest;
  members = 0;
  readonly #frames: Frames<Frame>;
  readonly #audience: ReadonlySet<string> | 'all';
  /** The patterns without `*`; nothing if every topic is wanted. */
  readonly #exact: Set<string> | undefined;
  #tree: PatternTree | undefined;
  /** The topic that was looked for last, and what was found: many in a row are mostly of one. */
  #asked: string | undefined;
  #found = false;
  /** By where they begin, once there is more than one member. */
  #made: Map<number, Made<Frame>> | undefined;
  /** The head for which they were made, and its epoch. */
  #madeAt = 0;
  #madeIn = '';

  constructor(key: string, frames: Frames<Frame>, interest: Interest) {
    this.key = key;
    this.interest = interest;
    this.#frames = frames;
    this.#audience = interest.audience === 'all' ? 'all' : new Set(interest.audience);
    if (!interest.patterns) return;
    this.#exact = new Set();
    for (const pattern of interest.patterns) {
      if (!pattern.includes('*')) this.#exact.add(pattern);
      else {
        this.#tree ??= new PatternTree();
        this.#tree.add(pattern);
      }
    }
  }

  get format(): Format<Frame> {
    return this.#frames.format;
  }

  /** The frame that takes a reader from offset `from` towards the head. */
  frame(window: Window, from: number): Made<Frame> {
    if (this.members === 1) return this.#make(window, from);
    const { epoch, head } = window;
    this.#made ??= new Map();
    if (this.#madeAt !== head || this.#madeIn !== epoch || this.#made.size >= MAX_MADE) {
      this.#made.clear();
      this.#madeAt = head;
      this.#madeIn = epoch;
    }
    let made = this.#made.get(from);
    if (!made) {
      made = this.#make(window, from);
      this.#made.set(from, made);
    }
    return made;
  }

  #make(window: Window, from: number): Made<Frame> {
    const { epoch, head } = window;
    const { seen, reached } = this.#cut(window, from, head);
    const frame = seen.length === 0 ? undefined : this.#frames.of(seen, { epoch, offset: reached });
    return { frame, reached };
  }

  /** What its members see of the entries after `from`, as far as one frame goes. */
  #cut(window: Window, from: number, head: number): { seen: Held[]; reached: number } {
    const to = Math.min(head, from + MAX_FRAME_ENTRIES);
    const seen: Held[] = [];
    let length = 0;
    for (let offset = from + 1; offset <= to; offset++) {
      const held = window.at(offset);
      if (!this.#sees(held)) continue;
      length += held.length;
      if (seen.length > 0 && length > MAX_FRAME_LENGTH) return { seen, reached: offset - 1 };
      seen.push(held);
    }
    return { seen, reached: to };
  }

  /** Those of its members' patterns, alone. */
  only(patterns: readonly string[]): Group<Frame> {
    return new Group('', this.#frames, { ...this.interest, patterns });
  }

  /**
   * What its members lack of the entries after `from` up to `to`, for all that was told by others before. Nothing if it
   * is more than a frame, or was to come before something that was told.
   */
  missed(window: Window, from: number, to: number, told: readonly Told[]): Made<Frame> | undefined {
    if (to - from > MAX_FRAME_ENTRIES) return undefined;
    const missed: Held[] = [];
    let length = 0;
    for (let offset = from + 1; offset <= to; offset++) {
      const held = window.at(offset);
      if (told.some(({ group, to }) => offset <= to && group.#sees(held))) {
        if (missed.length > 0) return undefined;
      } else if (this.#sees(held)) {
        length += held.length;
        missed.push(held);
      }
    }
    if (length > MAX_FRAME_LENGTH && missed.length > 1) return undefined;
    const frame =
      missed.length === 0 ? undefined : this.#frames.of(missed, { epoch: window.epoch, offset: to });
    return { frame, reached: to };
  }

  /** The topics of what its members see of the entries after `from` up to `to`, which the window has, or nothing if they are too many. */
  topics(window: Window, from: number, to: number): string[] | undefined {
    const topics = new Set<string>();
    for (let offset = from + 1; offset <= to; offset++) {
      const held = window.at(offset);
      if (this.#sees(held)) topics.add(held.entry.topic as string);
    }
    return topics.size > MAX_CHANGED_TOPICS ? undefined : [...topics];
  }

  /** The topics that changed for its members after the offset, or nothing if they are too many to tell. */
  changed(window: Window, since: number): string[] | undefined {
    const topics = new Set<string>();
    for (const { topic, audience } of window.changedSince(since))
      if (this.#mayMeet(audience) && this.#names(topic as string, undefined)) topics.add(topic as string);
    return topics.size > MAX_CHANGED_TOPICS ? undefined : [...topics];
  }

  #sees(held: Held): boolean {
    const { topic, audience } = held.entry;
    return topic !== undefined && this.#mayMeet(audience) && this.#names(topic, held);
  }

  /** @param held knows the topic's segments already */
  #names(topic: string, held: Held | undefined): boolean {
    if (!this.#exact || this.#exact.has(topic)) return true;
    if (this.#asked !== topic) {
      this.#found = this.#tree?.matches(held ? held.segments : segmentsOf(topic)) === true;
      this.#asked = topic;
    }
    return this.#found;
  }

  #mayMeet(audience: readonly string[] | undefined): boolean {
    const mine = this.#audience;
    if (!audience || mine === 'all') return true;
    for (const name of audience) if (mine.has(name)) return true;
    return false;
  }
}

/** Equal for subscribers that share their frames. */
export function groupKey(format: Format<unknown>, interest: Interest): string {
  const patterns = interest.patterns && inOrder(interest.patterns);
  const audience = interest.audience === 'all' ? 'all' : inOrder(interest.audience);
  return JSON.stringify([format.name, patterns, audience]);
}

const inOrder = (list: readonly string[]) => (list.length > 1 ? [...list].sort() : list);
