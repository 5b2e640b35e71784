import type { ReqcastError } from '../../protocol/errors.ts';
import type { Position } from '../../protocol/position.ts';
import type { Draft, Entry, RequestRecord } from '../entry.ts';
import type { Journal, JournalSink } from '../journal.ts';
import type { Query } from '../query.ts';

/** Writes down what a journal hands on, and which rule it broke first. */
export class Recorder implements JournalSink {
  readonly resets: Position[] = [];
  readonly entries: Entry[] = [];
  readonly faults: ReqcastError[] = [];
  /** `reset` and offsets, in the order of the calls. */
  readonly calls: (number | 'reset')[] = [];
  /** Called with what is delivered, in the course of it. */
  onDeliver: (entries: readonly Entry[]) => void = () => {};
  /** The first rule that was broken. */
  broken: string | undefined;
  #at: Position | undefined;
  #delivering = false;

  reset(start: Position) {
    const before = this.#at;
    if (!/^[\w-]{1,64}$/.test(start.epoch)) this.#break(`${start.epoch} is no epoch`);
    if (!Number.isSafeInteger(start.offset) || start.offset < 0) this.#break(`${start.offset} is no offset`);
    if (before?.epoch === start.epoch && start.offset < before.offset)
      this.#break(`a reset from ${before.offset} back to ${start.offset} in one epoch`);
    this.#at = start;
    this.resets.push(start);
    this.calls.push('reset');
  }

  deliver(entries: readonly Entry[]) {
    if (this.#delivering) this.#break('a delivery in the course of another');
    if (!this.#at) this.#break('a delivery before a reset');
    this.#delivering = true;
    this.onDeliver(entries);
    this.#delivering = false;
    for (const { offset } of entries) {
      const { epoch, offset: last } = this.#at ?? { epoch: '', offset: 0 };
      if (offset !== last + 1) this.#break(`an entry ${offset} right after ${last}`);
      this.#at = { epoch, offset };
    }
    this.entries.push(...entries);
    this.calls.push(...entries.map(({ offset }) => offset));
  }

  fault(error: ReqcastError) {
    this.faults.push(error);
  }

  get topics() {
    return this.entries.map(({ topic }) => topic);
  }

  get offsets() {
    return this.entries.map(({ offset }) => offset);
  }

  get codes() {
    return this.faults.map(({ code }) => code);
  }

  #break(what: string): void {
    this.broken ??= what;
  }
}

export const draft = (topic: string, rest: Partial<Draft> = {}): Draft => ({ time: 1000, topic, ...rest });

export const request = (id: string, rest: Partial<RequestRecord> = {}): RequestRecord => ({
  id,
  method: 'POST',
  url: `/ginger/users/${id}`,
  status: 200,
  outcome: 'completed',
  durationMs: 1,
  message: `Did ${id}`,
  ...rest,
});

export async function all(journal: Journal, query?: Query): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of journal.query(query)) entries.push(entry);
  return entries;
}
