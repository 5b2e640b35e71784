import assert from 'node:assert/strict';
import { all, draft } from './recorder.ts';
import { type Checks, fill, type Opened, type Stage, until } from './stage.ts';

const ENTRIES = 100;

async function openAll(stage: Stage, count: number): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (let i = 0; i < count; i++) opened.push(await stage.open());
  return opened;
}

const received = (count: number, opened: readonly Opened[]) =>
  until(() => opened.every(({ sink }) => sink.entries.length >= count));

/** For histories over which several journals may be open. */
export const sharing: Checks = {
  'gives all who share it one order: the same entries, offsets and epoch': async (stage) => {
    const opened = await openAll(stage, 3);
    for (let turn = 0; turn < ENTRIES / 10; turn++) {
      for (const [i, { journal }] of opened.entries())
        for (let n = 0; n < 10; n++) journal.append(draft(`POST:/from/${i}`, { data: turn * 10 + n }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(opened.map(({ journal }) => journal.flush()));
    await received(3 * ENTRIES, opened);
    const [first] = opened as [Opened, ...Opened[]];
    for (const { sink, journal } of opened) {
      assert.deepEqual(sink.entries, first.sink.entries);
      assert.deepEqual(sink.resets, first.sink.resets);
      assert.deepEqual((await all(journal)).reverse(), first.sink.entries);
    }
  },

  'keeps each one’s own order within the common one': async (stage) => {
    const opened = await openAll(stage, 2);
    for (let n = 0; n < ENTRIES; n++)
      for (const [i, { journal }] of opened.entries()) journal.append(draft(`POST:/from/${i}`, { data: n }));
    await received(2 * ENTRIES, opened);
    const [{ sink }] = opened as [Opened, ...Opened[]];
    for (const i of [0, 1])
      assert.deepEqual(
        sink.entries.filter(({ topic }) => topic === `POST:/from/${i}`).map(({ data }) => data),
        Array.from({ length: ENTRIES }, (_, n) => n),
      );
  },

  'hands one that comes later what there is, and then what comes, without a hole': async (stage) => {
    const { journal, sink } = await stage.open();
    fill(journal, 20);
    await journal.flush();
    fill(journal, 20, 21);
    const late = await stage.open(5);
    fill(journal, 20, 41);
    await until(() => [sink, late.sink].every(({ topics }) => topics.at(-1) === 'POST:/n/60'));
    assert.equal(late.sink.resets[0]?.epoch, sink.resets[0]?.epoch);
    assert.deepEqual(late.sink.entries, sink.entries.slice(-late.sink.entries.length));
  },

  'has with one’s flush what the others see in their queries': async (stage) => {
    const [one, other] = (await openAll(stage, 2)) as [Opened, Opened];
    for (let n = 1; n <= 5; n++) {
      fill(one.journal, 1, n);
      await one.journal.flush();
      assert.equal((await all(other.journal)).length, n);
    }
  },

  'goes on for those who stay when one is closed, and loses nothing that it had accepted': async (stage) => {
    const [going, staying] = (await openAll(stage, 2)) as [Opened, Opened];
    const topics = fill(going.journal, 50);
    await going.journal.close();
    await until(() => staying.sink.entries.length >= 50);
    assert.deepEqual(staying.sink.topics, topics);
    topics.push(...fill(staying.journal, 1, 51));
    await staying.journal.flush();
    await until(() => staying.sink.topics.length >= 51);
    assert.deepEqual(staying.sink.topics, topics);
  },
};
