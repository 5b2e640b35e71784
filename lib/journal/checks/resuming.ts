import assert from 'node:assert/strict';
import { all, draft, type Recorder } from './recorder.ts';
import { type Checks, fill, type Stage } from './stage.ts';

/** A journal that had so many entries and was closed. Gives its epoch. */
async function leave(stage: Stage, count: number): Promise<string> {
  const { journal, sink } = await stage.open();
  fill(journal, count);
  await journal.close();
  return epochOf(sink);
}

const epochOf = (sink: Recorder) => sink.resets.at(-1)?.epoch as string;

/** For histories that outlive their journals. */
export const resuming: Checks = {
  'goes on where an earlier one ended: same epoch, next offset': async (stage) => {
    const epoch = await leave(stage, 5);
    const { journal, sink } = await stage.open();
    journal.append(draft('POST:/n/6'));
    await journal.flush();
    assert.deepEqual(sink.resets, [{ epoch, offset: 0 }]);
    assert.deepEqual(
      sink.topics,
      [1, 2, 3, 4, 5, 6].map((n) => `POST:/n/${n}`),
    );
  },

  'hands over the newest entries of what there is, as many as are wanted': async (stage) => {
    const epoch = await leave(stage, 5);
    const { journal, sink } = await stage.open(2);
    assert.deepEqual(sink.resets, [{ epoch, offset: 3 }]);
    assert.deepEqual(sink.offsets, [4, 5]);
    assert.equal((await all(journal)).length, 5);
  },

  'hands over nothing where nothing is wanted, and begins at the end': async (stage) => {
    const epoch = await leave(stage, 5);
    const { journal, sink } = await stage.open(0);
    journal.append(draft('POST:/n/6'));
    await journal.flush();
    assert.deepEqual(sink.resets, [{ epoch, offset: 5 }]);
    assert.deepEqual(sink.topics, ['POST:/n/6']);
  },

  'puts what came before it was open after what there was': async (stage) => {
    await leave(stage, 3);
    const [journal, sink] = [await stage.make(), stage.sink()];
    journal.append(draft('POST:/n/4'));
    await journal.open(sink, 10);
    await journal.flush();
    assert.deepEqual(
      sink.topics,
      [1, 2, 3, 4].map((n) => `POST:/n/${n}`),
    );
  },

  'keeps its epoch over many runs, each of which adds something': async (stage) => {
    const epochs = new Set<string>();
    for (let run = 1; run <= 5; run++) {
      const { journal, sink } = await stage.open();
      fill(journal, 2, 2 * run - 1);
      await journal.flush();
      assert.equal(sink.offsets.at(-1), 2 * run);
      epochs.add(epochOf(sink));
      await journal.close();
    }
    assert.equal(epochs.size, 1);
  },
};

/** For histories that end with their journals. */
export const forgetting: Checks = {
  'begins another epoch, since an earlier one left nothing': async (stage) => {
    const epoch = await leave(stage, 5);
    const { sink } = await stage.open();
    assert.notEqual(epochOf(sink), epoch);
    assert.deepEqual(sink.entries, []);
  },
};

/** For histories that can be made to lose something. */
export const losing: Checks = {
  'begins another epoch when something that it delivered is gone': async (stage) => {
    const epoch = await leave(stage, 5);
    await stage.history.lose?.();
    const { journal, sink } = await stage.open();
    const topics = fill(journal, 1, 6);
    await journal.flush();
    assert.notEqual(epochOf(sink), epoch);
    assert.deepEqual(sink.topics.slice(-1), topics);
  },
};

/** For histories that keep so many entries and no more. */
export const retention: Checks = {
  'keeps the newest entries of many, and delivers each all the same': async (stage) => {
    const many = stage.traits.keepsFewerThan as number;
    const { journal, sink } = await stage.open();
    for (let n = 1; n <= many; n += 50) {
      fill(journal, Math.min(50, many - n + 1), n);
      await journal.flush();
    }
    assert.deepEqual(
      sink.offsets,
      Array.from({ length: many }, (_, i) => i + 1),
    );
    assert.equal(sink.resets.length, 1);
    const kept = (await all(journal)).map(({ offset }) => offset);
    assert.ok(kept.length > 0 && kept.length < many, `${kept.length} of ${many} entries were kept`);
    assert.deepEqual(
      kept,
      kept.map((_, i) => many - i),
    );
  },
};

/** For both. */
export const keptRetention: Checks = {
  'goes on after the newest entries of many, of which the oldest are gone': async (stage) => {
    const many = stage.traits.keepsFewerThan as number;
    const epoch = await leave(stage, many);
    const { journal, sink } = await stage.open();
    fill(journal, 1, many + 1);
    await journal.flush();
    const [reset] = sink.resets;
    assert.equal(reset?.epoch, epoch);
    assert.ok((reset?.offset as number) > 0);
    assert.equal(sink.offsets.at(-1), many + 1);
  },
};
