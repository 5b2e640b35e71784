import { ReqcastError } from '../protocol/errors.ts';
import { assertNames, type Names } from '../protocol/names.ts';
import { compilePattern } from '../protocol/pattern.ts';
import type { Entry, Outcome, RequestRecord } from './entry.ts';
import { holds, type LineTest, mayContain, mayContainAll, mayCount, mayHold, passesAll } from './spelling.ts';
import { mayEnd, TaskEnds } from './task-ends.ts';

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

const NAMES: Names<Query> = {
  topic: true,
  from: true,
  to: true,
  before: true,
  id: true,
  method: true,
  status: true,
  outcome: true,
  app: true,
  user: true,
  address: true,
  node: true,
  url: true,
  message: true,
  requests: true,
  tasks: true,
  limit: true,
};

/** What a task's end does not change in the request that started it. */
const OWN_FIELDS = ['id', 'method', 'app', 'user', 'address'] as const;
const TOLD_FIELDS = ['status', 'outcome'] as const;
const FIELDS = [...OWN_FIELDS, ...TOLD_FIELDS];
const TEXTS = ['url', 'message'] as const;

/** Entries, newest first, in groups as they are read. */
export type NewestFirst = AsyncIterable<Iterable<Entry>> | Iterable<Iterable<Entry>>;

/**
 * Gives the entries that match.
 *
 * @param read the history. An entry whose line of JSON does not pass the test MAY be left out; each line MUST be tested
 * after the newer ones were given
 * @throws ReqcastError `INVALID_QUERY` or `INVALID_PATTERN`, at the call
 */
export function runQuery(
  query: Query,
  read: (isWorthParsing: LineTest | undefined) => NewestFirst,
): AsyncIterable<Entry> {
  const matches = compileQuery(query);
  const ends =
    query.tasks === 'separate' ? undefined : new TaskEnds((end) => hasFields(end, TOLD_FIELDS, query));
  const find = (entry: Entry) => {
    const merged = ends ? ends.merge(entry) : entry;
    return merged && matches(merged) ? merged : undefined;
  };
  return limited(read(compileTest(query, ends)), find, query.limit ?? Number.POSITIVE_INFINITY);
}

async function* limited(
  newestFirst: NewestFirst,
  find: (entry: Entry) => Entry | undefined,
  limit: number,
): AsyncIterable<Entry> {
  let left = limit;
  if (left <= 0) return;
  for await (const entries of newestFirst)
    for (const entry of entries) {
      const found = find(entry);
      if (!found) continue;
      yield found;
      if (--left <= 0) return;
    }
}

/** Nothing if all lines have to be parsed. */
function compileTest(query: Query, ends: TaskEnds | undefined): LineTest | undefined {
  const own = [...placeTests(query), ...fieldTests(query, [...OWN_FIELDS, 'node']), ...textTests(query)];
  const told = fieldTests(query, TOLD_FIELDS);
  if (own.length + told.length === 0) return undefined;
  if (!ends) return (line) => passesAll(own, line) && passesAll(told, line);
  if (told.length === 0) return (line) => passesAll(own, line) || mayEnd(line);
  return (line) =>
    (passesAll(own, line) && (ends.crowded || passesAll(told, line))) || mayEnd(line) || ends.mayBegin(line);
}

function fieldTests(query: Query, fields: readonly (keyof Query)[]): LineTest[] {
  return fields.filter((field) => query[field] !== undefined).map((field) => mayHold(field, query[field]));
}

function placeTests(query: Query): LineTest[] {
  const { from, to, before } = bounds(query);
  const tests: LineTest[] = [];
  if (query.before !== undefined) tests.push(mayCount('offset', (offset) => offset < before));
  if (query.from !== undefined || query.to !== undefined)
    tests.push(mayCount('time', (time) => time >= from && time < to));
  return tests;
}

function textTests({ topic, url, message, requests }: Query): LineTest[] {
  const tests: LineTest[] = [];
  if (requests === true) tests.push(holds('request'));
  if (url !== undefined) tests.push(mayContain(url));
  if (message !== undefined) tests.push(mayContain(message));
  // What a pattern says between its wild cards is in each topic that it names.
  if (topic !== undefined) tests.push(mayContainAll(topic.replace(/\/\*\*$/, '').split('*')));
  return tests;
}

function bounds({ from, to, before }: Query) {
  return {
    from: Number(from ?? Number.NEGATIVE_INFINITY),
    to: Number(to ?? Number.POSITIVE_INFINITY),
    before: before ?? Number.POSITIVE_INFINITY,
  };
}

function hasFields<Name extends keyof Query & keyof RequestRecord>(
  record: Pick<RequestRecord, Name>,
  names: readonly Name[],
  query: Query,
): boolean {
  return names.every((name) => query[name] === undefined || record[name] === query[name]);
}

function compileQuery(query: Query): (entry: Entry) => boolean {
  assertQuery(query);
  const { from, to, before } = bounds(query);
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
    if (!request || !hasFields(request, fields, query)) return false;
    return texts.every((field, i) => request[field].toLowerCase().includes(wanted[i] as string));
  };
}

function assertQuery(query: Query): void {
  assertNames('journal.query', query, NAMES, 'INVALID_QUERY');
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
