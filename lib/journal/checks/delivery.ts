import assert from 'node:assert/strict';
import { all, draft, request } from './recorder.ts';
import { type Checks, fill, until } from './stage.ts';

/** A receiver that is busy for so long with what it is given. */
const SLOW_MS = 5;

export const delivery: Checks = {
  'begins with a reset to a position and nothing to hand over': async (stage) => {
    const { sink } = await stage.open();
    assert.deepEqual(sink.calls, ['reset']);
    assert.equal(sink.resets[0]?.offset, 0);
  },

  'delivers what was appended, own entries too, in order, each once, offsets without a hole': async (
    stage,
  ) => {
    const { journal, sink } = await stage.open();
    const topics = fill(journal, 500);
    await journal.flush();
    assert.deepEqual(sink.topics, topics);
    assert.deepEqual(
      sink.offsets,
      topics.map((_, i) => i + 1),
    );
    assert.deepEqual(sink.faults, []);
  },

  'keeps the order of what is appended while other entries are on their way': async (stage) => {
    const { journal, sink } = await stage.open();
    const topics: string[] = [];
    for (let turn = 0; turn < 50; turn++) {
      topics.push(...fill(journal, 1 + (turn % 7), topics.length + 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await journal.flush();
    assert.deepEqual(sink.topics, topics);
  },

  'delivers entries as they were appended': async (stage) => {
    const { journal, sink } = await stage.open();
    const full = draft('POST:/a', {
      data: { ü: [1, '😀', null, '\n'] },
      audience: ['x'],
      client: 'FmhxZ1O/UvcCaen+cqxsRv',
      request: request('1'),
    });
    journal.append(full);
    journal.append({ time: 1001 });
    await journal.flush();
    const kept = [
      { offset: 1, ...full, ...stage.added },
      { offset: 2, time: 1001, ...stage.added },
    ];
    assert.deepEqual(sink.entries, kept);
    assert.deepEqual((await all(journal)).reverse(), kept);
  },

  'has an entry before it delivers it': async (stage) => {
    const { journal, sink } = await stage.open();
    const found: Promise<boolean>[] = [];
    sink.onDeliver = (entries) => {
      const newest = entries.at(-1)?.offset as number;
      found.push(all(journal, { limit: 1 }).then(([entry]) => (entry?.offset ?? 0) >= newest));
    };
    for (let i = 0; i < 5; i++) {
      journal.append(draft('POST:/a'));
      await journal.flush();
    }
    assert.deepEqual(
      await Promise.all(found),
      found.map(() => true),
    );
  },

  'keeps order while entries are appended during a delivery, and delivers them after it': async (stage) => {
    const { journal, sink } = await stage.open();
    sink.onDeliver = (entries) => {
      for (const { topic } of entries) if (topic === 'POST:/first') journal.append(draft('POST:/third'));
    };
    journal.append(draft('POST:/first'));
    journal.append(draft('POST:/second'));
    await journal.flush();
    await journal.flush();
    assert.deepEqual(sink.calls, ['reset', 1, 2, 3]);
    assert.deepEqual([...sink.topics].sort(), ['POST:/first', 'POST:/second', 'POST:/third']);
  },

  'loses nothing to a receiver that is slow': async (stage) => {
    const { journal, sink } = await stage.open();
    sink.onDeliver = () => {
      const since = performance.now();
      while (performance.now() < since + SLOW_MS);
    };
    const topics: string[] = [];
    for (let turn = 0; turn < 20; turn++) {
      topics.push(...fill(journal, 10, topics.length + 1));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await journal.flush();
    assert.deepEqual(sink.topics, topics);
  },

  'throws nothing at an entry that is not JSON, and goes on': async (stage) => {
    const { journal, sink } = await stage.open();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    journal.append(draft('POST:/bad', { data: circle }));
    journal.append(draft('POST:/good'));
    await journal.flush();
    assert.equal(sink.topics.at(-1), 'POST:/good');
  },

  'begins a new epoch when it is told to, from which offsets go on': async (stage) => {
    const { journal, sink } = await stage.open();
    if (!journal.renew) return;
    fill(journal, 3);
    await journal.flush();
    journal.renew();
    fill(journal, 2, 4);
    await journal.flush();
    await until(() => sink.resets.length === 2);
    assert.equal(new Set(sink.resets.map(({ epoch }) => epoch)).size, 2);
    assert.deepEqual(sink.offsets, [1, 2, 3, 4, 5]);
  },
};
