import assert from 'node:assert/strict';
import { all, draft } from './recorder.ts';
import { type Checks, fill } from './stage.ts';

export const lifetime: Checks = {
  'keeps entries that come before it is open': async (stage) => {
    const [journal, sink] = [await stage.make(), stage.sink()];
    journal.append(draft('POST:/before'));
    const opened = journal.open(sink, 10);
    journal.append(draft('POST:/meanwhile'));
    await opened;
    journal.append(draft('POST:/after'));
    await journal.flush();
    assert.deepEqual(sink.topics, ['POST:/before', 'POST:/meanwhile', 'POST:/after']);
    assert.deepEqual(sink.calls, ['reset', 1, 2, 3]);
  },

  'serves one sink': async (stage) => {
    const { journal } = await stage.open();
    await assert.rejects(journal.open(stage.sink(), 10), { code: 'JOURNAL_OPEN_FAILED' });
  },

  'has and has delivered after a flush all that was accepted before it': async (stage) => {
    const { journal, sink } = await stage.open();
    await journal.flush();
    for (let i = 1; i <= 3; i++) {
      journal.append(draft(`POST:/a/${i}`));
      await journal.flush();
      assert.equal((await all(journal)).length, i);
      assert.equal(sink.entries.length, i);
    }
  },

  'tells how it stands': async (stage) => {
    const { journal } = await stage.open();
    journal.append(draft('POST:/a'));
    await journal.flush();
    assert.deepEqual(journal.stats(), { waiting: 0, lost: 0, connected: true });
  },

  'flushes when it is closed, and closes twice': async (stage) => {
    const { journal, sink } = await stage.open();
    const topics = fill(journal, 20);
    await Promise.all([journal.close(), journal.close()]);
    await journal.close();
    await journal.flush();
    assert.deepEqual(sink.topics, topics);
  },

  'takes and delivers nothing after it was closed': async (stage) => {
    const { journal, sink } = await stage.open();
    journal.append(draft('POST:/last'));
    await journal.close();
    journal.append(draft('POST:/late'));
    await journal.flush();
    assert.deepEqual(sink.topics, ['POST:/last']);
    assert.deepEqual(
      (await all(journal)).map(({ topic }) => topic),
      ['POST:/last'],
    );
  },

  'closes without having been opened': async (stage) => {
    const journal = await stage.make();
    await journal.close();
  },

  'closes while it opens': async (stage) => {
    const journal = await stage.make();
    // Whether it came to be open is of no interest; that both come to their end is.
    const opened = journal.open(stage.sink(), 10).catch(() => {});
    await journal.close();
    await opened;
  },
};
