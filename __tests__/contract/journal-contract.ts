import type { Draft, Entry, RequestRecord } from '../../lib/journal/entry.ts';
import type { Journal, JournalSink } from '../../lib/journal/journal.ts';
import type { Query } from '../../lib/journal/query.ts';
import type { ReqcastError } from '../../lib/protocol/errors.ts';
import type { Position } from '../../lib/protocol/position.ts';

/** Writes down what a journal hands on. */
export class Recorder implements JournalSink {
  readonly resets: Position[] = [];
  readonly entries: Entry[] = [];
  readonly faults: ReqcastError[] = [];
  /** `reset` and offsets, in the order of the calls. */
  readonly calls: (number | 'reset')[] = [];
  reset(start: Position) {
    this.resets.push(start);
    this.calls.push('reset');
  }
  deliver(entries: readonly Entry[]) {
    this.entries.push(...entries);
    this.calls.push(...entries.map(({ offset }) => offset));
  }
  fault(error: ReqcastError) {
    this.faults.push(error);
  }
  get topics() {
    return this.entries.map(({ topic }) => topic);
  }
  get codes() {
    return this.faults.map(({ code }) => code);
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

/**
 * What every journal does. `make` gives a new one over an empty history.
 *
 * @param node what its entries say they come from
 */
export function journalContract(name: string, make: () => Journal | Promise<Journal>, node?: string): void {
  describe(`the ${name} journal`, () => {
    let journal: Journal;
    let sink: Recorder;

    beforeEach(async () => {
      journal = await make();
      sink = new Recorder();
    });
    afterEach(() => journal.close());

    test('begins with a reset to a position and nothing to hand over', async () => {
      await journal.open(sink, 10);
      expect(sink.resets).toEqual([{ epoch: expect.stringMatching(/^[\w-]{1,64}$/), offset: 0 }]);
      expect(sink.entries).toEqual([]);
    });

    test('delivers what was appended, in order, each once, offsets without a hole', async () => {
      await journal.open(sink, 10);
      const topics = Array.from({ length: 500 }, (_, i) => `POST:/a/${i}`);
      for (const topic of topics) journal.append(draft(topic));
      await journal.flush();
      expect(sink.topics).toEqual(topics);
      expect(sink.entries.map(({ offset }) => offset)).toEqual(topics.map((_, i) => i + 1));
      expect(sink.faults).toEqual([]);
    });

    test('delivers entries as they were appended', async () => {
      await journal.open(sink, 10);
      const full = draft('POST:/a', { data: { ü: [1, '😀', null] }, audience: ['x'], request: request('1') });
      const kept = { offset: 1, ...full, ...(node && { node }) };
      journal.append(full);
      await journal.flush();
      expect(sink.entries).toEqual([kept]);
      expect(await all(journal)).toEqual([kept]);
    });

    test('keeps order while entries are appended during a delivery', async () => {
      const deliver = sink.deliver.bind(sink);
      sink.deliver = (entries) => {
        for (const { topic } of entries) if (topic === 'POST:/first') journal.append(draft('POST:/third'));
        deliver(entries);
      };
      await journal.open(sink, 10);
      journal.append(draft('POST:/first'));
      journal.append(draft('POST:/second'));
      await journal.flush();
      await journal.flush();
      expect(sink.calls).toEqual(['reset', 1, 2, 3]);
      expect([...sink.topics].sort()).toEqual(['POST:/first', 'POST:/second', 'POST:/third']);
    });

    test('keeps entries that come before it is open', async () => {
      journal.append(draft('POST:/before'));
      const opened = journal.open(sink, 10);
      journal.append(draft('POST:/meanwhile'));
      await opened;
      journal.append(draft('POST:/after'));
      await journal.flush();
      expect(sink.topics).toEqual(['POST:/before', 'POST:/meanwhile', 'POST:/after']);
      expect(sink.calls).toEqual(['reset', 1, 2, 3]);
    });

    test('serves one sink', async () => {
      await journal.open(sink, 10);
      await expect(journal.open(new Recorder(), 10)).rejects.toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
    });

    test('has after a flush all that was accepted before it', async () => {
      await journal.open(sink, 10);
      await journal.flush();
      for (let i = 0; i < 3; i++) {
        journal.append(draft(`POST:/a/${i}`));
        await journal.flush();
        expect(await all(journal)).toHaveLength(i + 1);
      }
    });

    test('tells how it stands', async () => {
      await journal.open(sink, 10);
      journal.append(draft('POST:/a'));
      await journal.flush();
      expect(journal.stats()).toEqual({ waiting: 0, lost: 0, connected: true });
    });

    test('flushes when it is closed, and closes twice', async () => {
      await journal.open(sink, 10);
      journal.append(draft('POST:/last'));
      await Promise.all([journal.close(), journal.close()]);
      await journal.close();
      await journal.flush();
      expect(sink.topics).toEqual(['POST:/last']);
    });

    test('closes without having been opened', async () => {
      await expect(journal.close()).resolves.toBeUndefined();
    });

    describe('asked', () => {
      const ids = async (query?: Query) => (await all(journal, query)).map((entry) => entry.offset);

      beforeEach(async () => {
        await journal.open(sink, 10);
        journal.append(draft('POST:/ginger/users', { time: 100, request: request('a', { user: 'root' }) }));
        journal.append(draft('DELETE:/kimchi/vms', { time: 200 }));
        const put = request('b', { method: 'PUT', status: 500, outcome: 'failed', topic: 'PUT:/kimchi/vms' });
        journal.append({
          time: 300,
          request: { ...put, app: 'kimchi', address: '::1', url: '/Kimchi/VMs?x=%20' },
        });
        await journal.flush();
      });

      test('gives everything, newest first', async () => {
        expect(await ids()).toEqual([3, 2, 1]);
      });

      test.each<[Query, number[]]>([
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
      ])('for %j gives %j', async (query, offsets) => {
        expect(await ids(query)).toEqual(offsets);
      });

      test('tells the end of a task as the status of its request, or as a record of its own', async () => {
        journal.append({ time: 400, request: request('t', { status: 202 }) });
        journal.append({
          time: 500,
          request: request('e', { method: 'TASK', status: 500, outcome: 'failed', task: 't' }),
        });
        await journal.flush();
        const [merged] = await all(journal, { limit: 1 });
        expect(merged).toMatchObject({ offset: 4, request: { id: 't', status: 500, outcome: 'failed' } });
        expect(await ids({ tasks: 'merged' })).toEqual([4, 3, 2, 1]);
        expect(await ids({ status: 202 })).toEqual([]);
        expect(await ids({ tasks: 'separate' })).toEqual([5, 4, 3, 2, 1]);
        expect(await ids({ tasks: 'separate', status: 202 })).toEqual([4]);
      });

      test.each<[string, Query]>([
        ['INVALID_QUERY', { limit: -1 }],
        ['INVALID_QUERY', { limit: 1.5 }],
        ['INVALID_QUERY', { before: Number.NaN }],
        ['INVALID_QUERY', { from: new Date('no date') }],
        ['INVALID_QUERY', { url: 7 as unknown as string }],
        ['INVALID_PATTERN', { topic: 'no topic' }],
      ])('throws %s at the call for %j', (code, query) => {
        expect(() => journal.query(query)).toThrow(expect.objectContaining({ code }));
      });

      test('leaves out what comes after the first one was asked for', async () => {
        const iterator = journal.query()[Symbol.asyncIterator]();
        expect((await iterator.next()).value).toMatchObject({ offset: 3 });
        journal.append(draft('POST:/new'));
        await journal.flush();
        expect((await iterator.next()).value).toMatchObject({ offset: 2 });
        await iterator.return?.();
        expect(await ids({ limit: 1 })).toEqual([4]);
      });

      test('answers after it is closed', async () => {
        await journal.close();
        expect(await ids()).toEqual([3, 2, 1]);
      });
    });
  });
}
