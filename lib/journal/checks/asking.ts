import assert from 'node:assert/strict';
import type { Journal } from '../journal.ts';
import type { Query } from '../query.ts';
import { all, draft, request } from './recorder.ts';
import { type Checks, fill, type Stage } from './stage.ts';

/** More than any journal reads at once. */
const MANY = 1_200;

const QUERIES: readonly (readonly [Query, readonly number[]])[] = [
  [{}, [3, 2, 1]],
  [{ id: 'a' }, [1]],
  [{ method: 'PUT' }, [3]],
  [{ status: 200 }, [1]],
  [{ outcome: 'failed' }, [3]],
  [{ app: 'kimchi' }, [3]],
  [{ user: 'root' }, [1]],
  [{ address: '::1' }, [3]],
  [{ node: 'elsewhere' }, []],
  [{ url: 'kimchi/vms' }, [3]],
  [{ message: 'DID A' }, [1]],
  [{ topic: 'POST:/ginger/users' }, [1]],
  [{ topic: '*:/kimchi/**' }, [3, 2]],
  [{ requests: true }, [3, 1]],
  [{ from: 200 }, [3, 2]],
  [{ from: new Date(200), to: new Date(300) }, [2]],
  [{ to: 200 }, [1]],
  [{ before: 3 }, [2, 1]],
  [{ before: 1 }, []],
  [{ limit: 2 }, [3, 2]],
  [{ limit: 0 }, []],
  [{ before: 3, limit: 1 }, [2]],
  [{ user: 'root', status: 500 }, []],
];

const REFUSED: readonly (readonly [string, Query])[] = [
  ['INVALID_QUERY', { limit: -1 }],
  ['INVALID_QUERY', { usr: 'ada' } as Query],
  ['INVALID_QUERY', { limit: 1.5 }],
  ['INVALID_QUERY', { before: Number.NaN }],
  ['INVALID_QUERY', { from: new Date('no date') }],
  ['INVALID_QUERY', { url: 7 as unknown as string }],
  ['INVALID_PATTERN', { topic: 'no topic' }],
];

async function openThree(stage: Stage): Promise<Journal> {
  const { journal } = await stage.open();
  journal.append(draft('POST:/ginger/users', { time: 100, request: request('a', { user: 'root' }) }));
  journal.append(draft('DELETE:/kimchi/vms', { time: 200 }));
  const put = request('b', { method: 'PUT', status: 500, outcome: 'failed', topic: 'PUT:/kimchi/vms' });
  journal.append({ time: 300, request: { ...put, app: 'kimchi', address: '::1', url: '/Kimchi/VMs?x=%20' } });
  await journal.flush();
  return journal;
}

async function offsetsOf(journal: Journal, query?: Query): Promise<number[]> {
  return (await all(journal, query)).map(({ offset }) => offset);
}

export const asking: Checks = {
  'gives what a query asks for, newest first': async (stage) => {
    const journal = await openThree(stage);
    assert.deepEqual(await offsetsOf(journal), [3, 2, 1]);
    for (const [query, offsets] of QUERIES)
      assert.deepEqual([query, await offsetsOf(journal, query)], [query, offsets]);
  },

  'tells the end of a task as the status of its request, or as a record of its own': async (stage) => {
    const journal = await openThree(stage);
    journal.append({ time: 400, request: request('t', { status: 202 }) });
    const end = request('e', { method: 'TASK', status: 500, outcome: 'failed', task: 't' });
    journal.append({ time: 500, request: end });
    await journal.flush();
    const [merged] = await all(journal, { limit: 1 });
    const { id, status, outcome } = merged?.request ?? {};
    assert.deepEqual([merged?.offset, id, status, outcome], [4, 't', 500, 'failed']);
    assert.deepEqual(await offsetsOf(journal, { tasks: 'merged' }), [4, 3, 2, 1]);
    assert.deepEqual(await offsetsOf(journal, { status: 202 }), []);
    assert.deepEqual(await offsetsOf(journal, { tasks: 'separate' }), [5, 4, 3, 2, 1]);
    assert.deepEqual(await offsetsOf(journal, { tasks: 'separate', status: 202 }), [4]);
  },

  'throws at the call what is wrong with a query': async (stage) => {
    const journal = await openThree(stage);
    for (const [code, query] of REFUSED) assert.throws(() => journal.query(query), { code });
  },

  'leaves out what comes after the first one was asked for': async (stage) => {
    const journal = await openThree(stage);
    const iterator = journal.query()[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).value?.offset, 3);
    journal.append(draft('POST:/new'));
    await journal.flush();
    assert.equal((await iterator.next()).value?.offset, 2);
    await iterator.return?.();
    assert.deepEqual(await offsetsOf(journal, { limit: 1 }), [4]);
  },
  'answers after it is closed': async (stage) => {
    const journal = await openThree(stage);
    await journal.close();
    assert.deepEqual(await offsetsOf(journal), [3, 2, 1]);
  },
};

/** For histories that keep all. */
export const paging: Checks = {
  'gives all of many entries, at once and page by page': async (stage) => {
    const { journal } = await stage.open();
    fill(journal, MANY);
    await journal.flush();
    const wanted = Array.from({ length: MANY }, (_, i) => MANY - i);
    assert.deepEqual(await offsetsOf(journal), wanted);
    const paged: number[] = [];
    for (let page: number[] | undefined; page?.length !== 0; paged.push(...page))
      page = await offsetsOf(journal, { before: paged.at(-1) ?? MANY + 1, limit: 500 });
    assert.deepEqual(paged, wanted);
  },
};
