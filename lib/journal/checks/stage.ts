import assert from 'node:assert/strict';
import type { Journal } from '../journal.ts';
import { draft, Recorder } from './recorder.ts';

/** So many entries are handed over where a check does not say otherwise. */
const HISTORY = 10_000;

/** A history of the checker's own, empty at first. */
export interface TestHistory {
  /** A new journal over it, not open yet. Called again, a second one over the same history. */
  journal(): Journal | Promise<Journal>;
  /**
   * Takes the last entry away, as if it had never been written: a backup is put back, a server dies before the disk
   * has it. Called while no journal over it is open, if the journal is `losable`.
   */
  lose?(): unknown;
  /** Removes it. Called when all its journals are closed. */
  end?(): unknown;
}

/** What a journal promises beyond what each one does. */
export interface JournalTraits {
  /** What its entries say they come from. @default nothing */
  node?: string;
  /** Whether a journal goes on with what an earlier one, now closed, has left. @default false */
  kept?: boolean;
  /** Whether several may be open over one history. @default false */
  shared?: boolean;
  /** Whether it notices what was lost between two runs, with nobody there to tell. @default false */
  losable?: boolean;
  /** Of so many small entries it keeps the newest and not all: `begin` says how it does so. @default it is not checked */
  keepsFewerThan?: number;
}

/** A journal that is open, and what it handed on. */
export interface Opened {
  readonly journal: Journal;
  readonly sink: Recorder;
}

/** What one check has to do with. */
export class Stage {
  readonly traits: JournalTraits;
  readonly history: TestHistory;
  readonly #journals: Journal[] = [];
  readonly #sinks: Recorder[] = [];

  constructor(history: TestHistory, traits: JournalTraits) {
    this.history = history;
    this.traits = traits;
  }

  /** What a journal adds to a draft. */
  get added(): { node?: string } {
    const { node } = this.traits;
    return node === undefined ? {} : { node };
  }

  async make(): Promise<Journal> {
    const journal = await this.history.journal();
    this.#journals.push(journal);
    return journal;
  }

  sink(): Recorder {
    const sink = new Recorder();
    this.#sinks.push(sink);
    return sink;
  }

  async open(history = HISTORY): Promise<Opened> {
    const [journal, sink] = [await this.make(), this.sink()];
    await journal.open(sink, history);
    return { journal, sink };
  }

  /** Closes all; a check that went well ends with an answer to whether the rules of a sink were kept. */
  async end(): Promise<void> {
    for (const journal of this.#journals.reverse()) await journal.close();
    await this.history.end?.();
  }

  assertRules(): void {
    for (const { broken } of this.#sinks) assert.equal(broken, undefined);
  }
}

/** Appends so many entries that are told apart by their topics, from a number on. */
export function fill(journal: Journal, count: number, from = 1): string[] {
  const topics = Array.from({ length: count }, (_, i) => `POST:/n/${from + i}`);
  for (const topic of topics) journal.append(draft(topic));
  return topics;
}

/** Waits until the check holds; the time limit of all checks ends it too. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** By their names. */
export interface Checks {
  readonly [name: string]: (stage: Stage) => Promise<void>;
}
