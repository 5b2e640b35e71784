import { ReqcastError } from '../protocol/errors.ts';
import { compilePattern } from '../protocol/pattern.ts';
import type { Entry, Outcome, RequestRecord } from './entry.ts';

/** Which entries to give. All conditions must hold; an absent one holds for every entry. */
export interface Query {
  /** A pattern for the announced topic, or else for the request's. */
  topic?: string;
  /** At or after, in milliseconds since 1970, or a Date. */
  from?: number | Date;
  /** Before. */
  to?: number | Date;
  /** Entries with a smaller offset only: the next page after the last one's offset. */
  before?: number;
  id?: string;
  method?: string;
  /** Exactly this status. */
  status?: number;
  outcome?: Outcome;
  app?: string;
  user?: string;
  address?: string;
  /** The process that it came from. */
  node?: string;
  /** Text that the URL contains, upper or lower case. */
  url?: string;
  /** Text that the message contains, upper or lower case. */
  message?: string;
  /** Only entries that carry a request: the request log. @default false */
  requests?: boolean;
  /** `merged`: the end of a task is told as its first request's status; `separate`: as a record of its own. @default 'merged' */
  tasks?: 'merged' | 'separate';
  /** At most so many. @default no limit */
  limit?: number;
}

const FIELDS = ['id', 'method', 'status', 'outcome', 'app', 'user', 'address'] as const;
const TEXTS = ['url', 'message'] as const;

/** Ends of tasks whose first record lies further back are kept for merging up to this many. */
const MAX_OPEN_TASKS = 10_000;

/**
 * Gives the entries of `newestFirst` that match.
 *
 * @throws ReqcastError `INVALID_QUERY` or `INVALID_PATTERN`, at the call
 */
export function runQuery(
  query: Query,
  newestFirst: AsyncIterable<Entry> | Iterable<Entry>,
): AsyncIterable<Entry> {
  const matches = compileQuery(query);
  const source = query.tasks === 'separate' ? newestFirst : mergeTasks(newestFirst);
  return limited(source, matches, query.limit ?? Number.POSITIVE_INFINITY);
}

async function* limited(
  source: AsyncIterable<Entry> | Iterable<Entry>,
  matches: (entry: Entry) => boolean,
  limit: number,
): AsyncIterable<Entry> {
  let left = limit;
  if (left <= 0) return;
  for await (const entry of source) {
    if (!matches(entry)) continue;
    yield entry;
    if (--left <= 0) return;
  }
}

/** Leaves out the ends of tasks and tells each as the status and outcome of the request that started it. */
async function* mergeTasks(newestFirst: AsyncIterable<Entry> | Iterable<Entry>): AsyncIterable<Entry> {
  const ends = new Map<string, RequestRecord>();
  for await (const entry of newestFirst) {
    const request = entry.request;
    if (request?.task !== undefined) {
      if (ends.size < MAX_OPEN_TASKS && !ends.has(request.task)) ends.set(request.task, request);
      continue;
    }
    const end = request && ends.get(request.id);
    if (!request || !end) {
      yield entry;
      continue;
    }
    ends.delete(request.id);
    const { status, outcome, durationMs, tunnel } = end;
    yield { ...entry, request: { ...request, status, outcome, durationMs, ...(tunnel && { tunnel }) } };
  }
}

function compileQuery(query: Query): (entry: Entry) => boolean {
  assertQuery(query);
  const from = Number(query.from ?? Number.NEGATIVE_INFINITY);
  const to = Number(query.to ?? Number.POSITIVE_INFINITY);
  const before = query.before ?? Number.POSITIVE_INFINITY;
  const topic = query.topic === undefined ? undefined : compilePattern(query.topic);
  const fields = FIELDS.filter((field) => query[field] !== undefined);
  const texts = TEXTS.filter((field) => query[field] !== undefined);
  const wanted = texts.map((field) => (query[field] as string).toLowerCase());
  const needsRequest = query.requests === true || fields.length > 0 || texts.length > 0;
  return (entry) => {
    if (entry.offset >= before || entry.time < from || entry.time >= to) return false;
    if (query.node !== undefined && entry.node !== query.node) return false;
    const request = entry.request;
    if (topic && !topic(entry.topic ?? request?.topic ?? '')) return false;
    if (!needsRequest) return true;
    if (!request || fields.some((field) => request[field] !== query[field])) return false;
    return texts.every((field, i) => request[field].toLowerCase().includes(wanted[i] as string));
  };
}

function assertQuery(query: Query): void {
  const refuse = (name: string, value: unknown, allowed: string) => {
    throw new ReqcastError('INVALID_QUERY', `Query ${name} is ${String(value)}; it must be ${allowed}.`);
  };
  for (const name of ['limit', 'before'] as const)
    if (query[name] !== undefined && !(Number.isInteger(query[name]) && query[name] >= 0))
      refuse(name, query[name], 'a whole number, 0 or more');
  for (const name of ['from', 'to'] as const)
    if (query[name] !== undefined && Number.isNaN(Number(query[name])))
      refuse(name, query[name], 'a Date or milliseconds since 1970');
  for (const name of TEXTS)
    if (query[name] !== undefined && typeof query[name] !== 'string') refuse(name, query[name], 'a string');
}
