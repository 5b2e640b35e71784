import type { Entry, RequestRecord } from './entry.ts';
import { holds, type LineTest } from './spelling.ts';

/** What the end of a task tells of the request that started it. */
type Told = Pick<RequestRecord, 'status' | 'outcome' | 'durationMs' | 'tunnel'>;

/** The end of a task is merged if no more tasks than this ended while it ran. */
const MAX_ENDS = 10_000;

/** Looking in a line for one end after the other is faster than parsing it, for about so many. */
const MAX_TESTS = 8;

/** Whether the line may be the end of a task. */
export const mayEnd = holds('task');

/** The ends of tasks, on the way from newer entries to older ones. */
export class TaskEnds {
  readonly #isWanted: (told: Told) => boolean;
  readonly #ends = new Map<string, Told>();
  /** For the wanted ends whose request was not met yet: whether a line may be that. */
  readonly #tests = new Map<string, LineTest>();

  /** @param isWanted which ends make a request one that is asked for */
  constructor(isWanted: (told: Told) => boolean) {
    this.#isWanted = isWanted;
  }

  /** Tells the end of a task as the status and outcome of the request that started it, and gives nothing for itself. */
  merge(entry: Entry): Entry | undefined {
    const { request } = entry;
    if (!request) return entry;
    if (request.task !== undefined) {
      this.#add(request.task, request);
      return undefined;
    }
    const end = this.#ends.get(request.id);
    if (!end) return entry;
    this.#tests.delete(request.id);
    return { ...entry, request: { ...request, ...end } };
  }

  #add(id: string, { status, outcome, durationMs, tunnel }: RequestRecord): void {
    if (this.#ends.has(id)) return;
    const told = { status, outcome, durationMs, ...(tunnel && { tunnel }) };
    this.#ends.set(id, told);
    if (this.#isWanted(told)) this.#tests.set(id, holds(id));
    if (this.#ends.size <= MAX_ENDS) return;
    const [oldest] = this.#ends.keys() as Iterable<string>;
    this.#ends.delete(oldest as string);
    this.#tests.delete(oldest as string);
  }

  /** So many wanted ones are open that `mayBegin` does not look: a line that may be told as another MUST be parsed. */
  get crowded(): boolean {
    return this.#tests.size > MAX_TESTS;
  }

  /** Whether the line may be the request of a wanted end. */
  mayBegin(line: string): boolean {
    if (this.crowded) return false;
    for (const test of this.#tests.values()) if (test(line)) return true;
    return false;
  }
}
