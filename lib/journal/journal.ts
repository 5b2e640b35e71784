import type { ReqcastError } from '../protocol/errors.ts';
import type { Position } from '../protocol/position.ts';
import type { Draft, Entry } from './entry.ts';
import type { Query } from './query.ts';

/**
 * Where a journal hands on what it has. All calls come in one order, each after the one before has returned, also where
 * `deliver` appends to the journal. A call may take a while; nothing is lost by that.
 */
export interface JournalSink {
  /**
   * A history begins, or another one does: positions count from `start`. Called once while opening, before any
   * entry, and again whenever history was lost, then with another epoch, or what follows is not the entry after the last
   * one, then with the same epoch and a greater offset. An epoch is 1 to 64 of the characters `A-Za-z0-9_-` that no
   * other history ever had: random ones. An empty history begins at offset 0.
   */
  reset(start: Position): void;
  /** Entries that the journal now has, own ones too, each offset one more than the last. */
  deliver(entries: readonly Entry[]): void;
  /**
   * Of the processes that share this journal, this one does what one of them must do: `true` from here on, `false`
   * another does. Called while opening and at each change; never by a journal that serves one process.
   */
  leads?(leads: boolean): void;
  /** A fault in the background. What it means for entries already accepted, the error says. */
  fault(error: ReqcastError): void;
}

/** How a journal is doing. */
export interface JournalStats {
  /** Entries that were accepted and are not in the journal yet. */
  readonly waiting: number;
  /** Entries that were lost because too many waited; clients were told to refresh all. */
  readonly lost: number;
  /** Whether the place where entries are kept can be reached, as far as is known. */
  readonly connected: boolean;
}

/**
 * The append-only stream of entries: the one place where history lives.
 *
 * A journal MUST assign offsets that count up by one within an epoch, MUST deliver an entry only after it has it,
 * MUST deliver in offset order and each entry once, and MUST begin a new epoch if it may have lost an entry that it
 * had delivered. Entries of one writer keep the order in which they were appended. Where it keeps history beyond its end,
 * the next run goes on with the same epoch and the next offset, since clients resume across it. It may drop its oldest
 * entries, which ends no epoch; those that it has stay without a hole.
 *
 * `journalChecks` of `reqcast/journal-test` holds a journal to all of this.
 */
export interface Journal {
  /**
   * Other processes append to the same history and deliver it too, so that a client may come from one that was
   * ahead: it waits here for what it already has, where otherwise its position would mean that history was lost.
   * @default false
   */
  readonly shared?: boolean;
  /**
   * Reads what history there is, hands its newest entries to `sink` (after a `reset` to the position before them), and
   * keeps delivering from there until `close`. Called once.
   *
   * @param history how many of the newest entries to hand over at most; 0: begin at the end
   * @throws ReqcastError `JOURNAL_OPEN_FAILED`, the second time too
   */
  open(sink: JournalSink, history: number): Promise<void>;
  /**
   * Accepts an entry, before `open` was called too; after `close` does nothing. Never throws, never blocks; a failure is a
   * fault, `INVALID_DATA` for what is not JSON.
   */
  append(draft: Draft): void;
  /**
   * Resolves when all that was accepted before this call is in the journal and delivered, or was reported as a fault.
   * Never rejects, and does not wait for an outage to end.
   */
  flush(): Promise<void>;
  stats(): JournalStats;
  /**
   * Entries that match, newest first, up to what the journal had when the first one was asked for. Answers after `close`
   * too. `queryEntries` does the matching.
   *
   * @throws ReqcastError `INVALID_QUERY` or `INVALID_PATTERN`, at the call
   */
  query(query?: Query): AsyncIterable<Entry>;
  /** Begins a new epoch, for another process lost entries before they came here. Absent: only this process writes. */
  renew?(): void;
  /** Flushes and ends, after which nothing is delivered. Idempotent; also while opening, and without having been opened. */
  close(): Promise<void>;
}
