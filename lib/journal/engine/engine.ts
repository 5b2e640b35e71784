import type { Position } from '../../protocol/position.ts';

/** A place in the history that an engine keeps. */
export interface Mark extends Position {
  /** Greater for a later epoch. */
  readonly era: number;
  /** Of the entry there: two histories that differ in anything before have no link in common after it. */
  readonly link: string;
}

/** What an engine keeps at a place. */
export interface Kept extends Mark {
  /** The link of the one before; absent where the engine does not tell. */
  readonly after?: string;
  /** The draft; absent where an epoch begins, before its first entry. */
  readonly json?: string;
}

/** What is added together. */
export interface Batch {
  /** Counts up by one within a process. */
  readonly number: number;
  /** Drafts in JSON. */
  readonly drafts: readonly string[];
}

/** What is asked of the history in one step. */
export interface Step {
  /** The furthest place that is known to have been there; absent: none. */
  readonly known: Mark | undefined;
  /** What to add to the end; absent: nothing. */
  readonly batch?: Batch;
  /** Whether to begin a new epoch in any case. */
  readonly renew?: boolean;
}

/** A connection to an engine. After the first call that failed it is of no use any more. */
export interface Session {
  /**
   * In one step that nothing comes between: makes sure that `known` is still a part of the history, and begins a new
   * epoch if it is not; adds the batch, unless it has been added before. Resolves with the end of the history. Steps of
   * a session are taken in the order of the calls.
   */
  take(step: Step): Promise<Mark>;
  /** Whether reading alone shows that a place is still a part of the history, and nothing else is due. Else take a step. */
  stillHas(known: Mark): Promise<boolean>;
  /** What comes after a place, oldest first, as many as are convenient. Waits about a second for it if there is nothing. */
  next(after: Mark): Promise<readonly Kept[]>;
  /** What comes before a place, or before the end, newest first, as many as are convenient; nothing: there is no more. */
  previous(before?: Mark): Promise<readonly Kept[]>;
  /** What was called and is not answered rejects. Idempotent. */
  end(): void;
}

/** Where several processes keep one history. */
export interface Engine {
  /** For messages, e.g. `Redis`. */
  readonly name: string;
  /** What is larger is not taken; absent: as much as any journal takes. */
  readonly maxEntryBytes?: number;
  /**
   * @throws ReqcastError `JOURNAL_OPEN_FAILED` for what trying again does not heal, such as a wrong password; anything
   * else is an outage. `Session` too.
   */
  connect(): Promise<Session>;
}

/** Whether `a` is behind `b` in the history. */
export function isBehind(a: Mark, b: Mark): boolean {
  return a.era < b.era || (a.era === b.era && a.epoch === b.epoch && a.offset < b.offset);
}

/** Whether an entry is the one right after a place, in the same history. */
export function follows(kept: Kept, { epoch, offset, link }: Mark): boolean {
  return kept.epoch === epoch && kept.offset === offset + 1 && (kept.after ?? link) === link;
}
