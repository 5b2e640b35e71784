import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Draft, RequestRecord } from '../../lib/journal/entry.ts';
import { fileJournal } from '../../lib/journal/file/file-journal.ts';
import { memoryJournal } from '../../lib/journal/memory.ts';
import type { Query } from '../../lib/journal/query.ts';
import { all, draft, Recorder, request } from '../contract/journal-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'reqcast-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const newPath = () => join(directory, `${++files}.jsonl`);

/** Names that are a part of each other, need escapes, or more than a byte for a character. */
const NAMES = ['root', 'roo', 'xroot', 'r"oot', 'r\\oot', 'a/b', 'ü', '€😀', '\n', '', 'task'];
/** With one of these in it, a file is not searched line by line. */
const ESCAPED = ['\u0001', '\ud800', 'r\\uoot'];
const STATUSES = [200, 202, 500, 50];
const name = fc.oneof({ weight: 200, arbitrary: fc.constantFrom(...NAMES) }, fc.constantFrom(...ESCAPED));
const outcome = fc.constantFrom('completed' as const, 'failed' as const, 'aborted' as const);
const changing = fc.record({ status: fc.constantFrom(...STATUSES), outcome });
const optional = fc.option(name, { nil: undefined });
/** Capitals that are not ASCII and whose lower case is, escapes, and a name within another text. */
const TEXTS = [
  '/Kim',
  '/\u212aim',
  '/kIm',
  '/\u0130d',
  '/id',
  '/"a" \\',
  'Über',
  'Ünter',
  '/x/time":5,',
  '',
  '€',
];
const text = fc.oneof({ weight: 200, arbitrary: fc.constantFrom(...TEXTS) }, fc.constantFrom(...ESCAPED));
const TOPICS = ['POST:/a', 'POST:/a/b', 'POST:/a/b/c', 'PUT:/a/b', 'PUT:/ü/b', 'PUT:/"\\/b', 'PUT:/b/b'];
const topic = fc.option(fc.constantFrom(...TOPICS), { nil: undefined });
/** One thing that is logged; `end` says after how many others the task ends that it began. */
const happening = fc.record({
  user: optional,
  app: optional,
  url: text,
  message: text,
  topic,
  announced: topic,
  params: fc.option(fc.record({ user: name, status: fc.constantFrom(...STATUSES), time: fc.nat(40) }), {
    nil: undefined,
  }),
  first: changing,
  end: fc.option(fc.record({ after: fc.nat(8), told: changing, user: optional }), { nil: undefined }),
  logged: fc.boolean(),
});

type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never;

function history(happenings: readonly Happening[]): Draft[] {
  const slots: Draft[][] = Array.from({ length: happenings.length + 9 }, () => []);
  happenings.forEach(({ first, end, logged, announced, ...rest }, n) => {
    const id = `id-${n}`;
    if (!logged)
      slots[n]?.push(
        draft('POST:/a', { time: n, data: { time: 7, request: { id, user: rest.user, task: id } } }),
      );
    else
      slots[n]?.push({
        time: n,
        ...(announced && { topic: announced }),
        request: request(id, { ...rest, ...first }),
      });
    const { after = 0, told, user } = end ?? {};
    const method = { method: 'TASK', task: id, ...(user !== undefined && { user }) };
    if (told)
      slots[n + after]?.push({ time: n, request: request(`end-${n}`, { ...rest, ...method, ...told }) });
  });
  return slots.flat();
}

const status = fc.constantFrom(...STATUSES);
const part = fc.oneof(
  text,
  fc.constantFrom(
    'kim',
    'KIM',
    '\u212aIM',
    'im',
    'i',
    'i\u0307d',
    '\u0130D',
    '"A',
    ' \\',
    'ü',
    'Ü',
    'ter',
    '/',
    '/x/TIME',
  ),
);
const pattern = fc.constantFrom(
  ...TOPICS,
  '*:/a/**',
  '*:/**',
  'POST:/*/b',
  '*:/*/b',
  'PUT:/*/b/**',
  '*:/ü/*',
  'PUT:/**',
);
/** Few conditions at a time, or nothing would match. */
const query: fc.Arbitrary<Query> = fc
  .tuple(
    fc.oneof(
      fc.record({ user: name }),
      fc.record({ app: name }),
      fc.record({ id: fc.nat(30).map((n) => `id-${n}`) }),
      fc.record({ method: fc.constantFrom('POST', 'TASK') }),
      fc.record({ status }),
      fc.record({ outcome }),
      fc.record({ user: name, status }),
      fc.record({ app: name, outcome }),
      fc.record({ url: part }),
      fc.record({ message: part }),
      fc.record({ url: part, status }),
      fc.record({ topic: pattern }),
      fc.record({ topic: pattern, outcome }),
      fc.record({ from: fc.nat(40), to: fc.nat(40) }),
      fc.record({ from: fc.oneof(fc.nat(40), fc.constant(2.5)), status }),
      fc.record({ before: fc.nat(60) }),
      fc.record({ requests: fc.boolean(), to: fc.nat(40) }),
    ),
    fc.constantFrom('merged' as const, 'separate' as const),
  )
  .map(([conditions, tasks]) => ({ ...conditions, tasks }));

/** What the query gives, asked of entries that nobody left out beforehand. */
async function expected(drafts: readonly Draft[], wanted: Query) {
  const journal = memoryJournal({ maxEntries: 1000 });
  await journal.open(new Recorder(), 0);
  // Through JSON, as they are in the file.
  for (const each of drafts) journal.append(JSON.parse(JSON.stringify(each)));
  return all(journal, wanted);
}

test('a search in files gives what is in them, whatever is looked for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 1, maxLength: 40 }),
      fc.array(query, { minLength: 1, maxLength: 8 }),
      async (happenings, queries) => {
        const drafts = history(happenings);
        const journal = fileJournal({ path: newPath(), rotateBytes: 2000, keepFiles: 1000 });
        await journal.open(new Recorder(), 0);
        for (const each of drafts) journal.append(each);
        await journal.close();
        for (const wanted of queries)
          expect(await all(journal, wanted)).toEqual(await expected(drafts, wanted));
      },
    ),
    { numRuns: 150 },
  );
});

describe('a line that another program wrote', () => {
  const line = (record: string) =>
    `{ "epoch": "first", "offset": 1, "time": 1, "request": { "id": "a", "method": "POST", "url": "/", "message": "", ${record} } }\n`;

  test.each<[string, Query]>([
    ['"user" : "root"', { user: 'root' }],
    ['"user":"r\\u006fot"', { user: 'root' }],
    ['"user":"a\\/b"', { user: 'a/b' }],
    ['"user":"\\u00fc"', { user: 'ü' }],
    ['"us\\u0065r":"root"', { user: 'root' }],
    ['"status" : 500', { status: 500 }],
    ['"status":500.0', { status: 500 }],
    ['"status":5e2', { status: 500 }],
    ['"status":0.5E+3', { status: 500 }],
    ['"status":5000e-1', { status: 500 }],
    ['"st\\u0061tus":500', { status: 500 }],
    ['"url":"/\\u004bimchi"', { url: 'kimchi' }],
    ['"url":"/\u212aimchi"', { url: 'kimchi' }],
    ['"topic":"POST:\\/a"', { topic: 'POST:/a' }],
    ['"time":5', { to: 2 }],
  ])('with %s is found by %j', async (record, wanted) => {
    const path = newPath();
    writeFileSync(path, line(record));
    expect(await all(fileJournal({ path }), wanted)).toHaveLength(1);
    expect(await all(fileJournal({ path }), { ...wanted, tasks: 'separate' })).toHaveLength(1);
  });

  test('with its time told twice counts by the last one', async () => {
    const path = newPath();
    writeFileSync(
      path,
      line('"status":200')
        .replaceAll(' ', '')
        .replace(/"time":1(.*)}/, '"time":9$1,"time":1}'),
    );
    expect(await all(fileJournal({ path }), { to: 2 })).toHaveLength(1);
    expect(await all(fileJournal({ path }), { from: 2 })).toEqual([]);
  });

  test('as the end of a task is merged', async () => {
    const path = newPath();
    const end = line('"task":"a","status":500').replace('"id": "a"', '"id": "b"').replace('1', '2');
    writeFileSync(path, line('"status":202') + end.replace('"task"', '"t\\u0061sk"'));
    expect(await all(fileJournal({ path }), { status: 500 })).toMatchObject([{ offset: 1 }]);
    expect(await all(fileJournal({ path }), { status: 202 })).toEqual([]);
  });
});

test('tasks are told with their ends however many of other users end, and as many as run at once', async () => {
  const journal = fileJournal({ path: newPath() });
  await journal.open(new Recorder(), 0);
  const record = (id: string, user: string, rest: Partial<RequestRecord> = {}) =>
    journal.append({ time: 1, request: request(id, { user, status: 202, ...rest }) });
  const end = (id: string, user: string) =>
    record(`end-${id}`, user, { method: 'TASK', status: 500, task: id });
  for (let i = 0; i < 20; i++) record(`mine-${i}`, 'root');
  for (let i = 0; i < 12_000; i++) {
    record(`other-${i}`, 'anna');
    end(`other-${i}`, 'anna');
    if (i === 5000) for (let n = 0; n < 20; n++) end(`mine-${n}`, 'root');
  }
  await journal.flush();
  const ids = async (wanted: Query) => (await all(journal, wanted)).map(({ request }) => request?.id);
  const mine = Array.from({ length: 20 }, (_, i) => `mine-${19 - i}`);
  expect(await ids({ user: 'root', status: 500 })).toEqual(mine);
  expect(await ids({ user: 'root', status: 202 })).toEqual([]);
  expect(await ids({ status: 500 })).toHaveLength(12_020);
  await journal.close();
});
