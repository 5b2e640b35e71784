import { redisJournal } from '../../../lib/journal/redis/index.ts';
import { all, draft } from '../../contract/journal-contract.ts';
import { runAttached } from '../../support/attached.ts';
import { ioredis, RedisServer, testWithRedis } from '../../support/redis.ts';
import { until } from '../../support/server.ts';
import { subscribe, topicsOf } from '../../support/subscriber.ts';
import { startNode } from './stage.ts';

const STREAM = '{reqcast}:entries';

testWithRedis('maxEntries keeps about so many of the newest entries', async () => {
  const server = await RedisServer.forTest();
  const { journal, sink } = await startNode(server.port, { maxEntries: 300 });
  for (let i = 0; i < 2000; i++) {
    journal.append(draft(`POST:/a/${i}`));
    if (i % 100 === 0) await journal.flush();
  }
  await journal.flush();
  const kept = Number(await server.ask('xlen', STREAM));
  expect(kept).toBeGreaterThanOrEqual(300);
  expect(kept).toBeLessThan(300 + 200);
  expect((await all(journal)).map(({ offset }) => offset)).toEqual(
    Array.from({ length: kept }, (_, i) => 2000 - i),
  );
  expect(sink.entries).toHaveLength(2000);
  expect(sink.resets).toHaveLength(1);
  const late = await startNode(server.port);
  expect(late.sink.entries).toEqual(sink.entries.slice(-kept));
});

testWithRedis('maxAgeMs removes what is older, except the newest entry', async () => {
  const server = await RedisServer.forTest();
  const { journal, sink } = await startNode(server.port, { maxAgeMs: 500 });
  for (let i = 0; i < 2500; i++)
    journal.append(draft('POST:/old', { time: Date.now(), data: { '"time":1': i } }));
  await journal.flush();
  await until(async () => (await server.ask('xlen', STREAM)) === 1);
  journal.append(draft('POST:/new', { time: Date.now() + 60_000 }));
  await journal.flush();
  await until(async () => (await server.ask('xlen', STREAM)) === 1);
  expect((await all(journal)).map(({ topic, offset }) => [topic, offset])).toEqual([['POST:/new', 2501]]);
  expect(sink.entries).toHaveLength(2501);
  expect(sink.resets).toHaveLength(1);
  expect(sink.faults).toEqual([]);
});

testWithRedis('what was removed before a process had read it, its pages are told of', async () => {
  const server = await RedisServer.forTest();
  const options = { maxEntries: 10 };
  const nodes = [await startNode(server.port, options), await startNode(server.port, options)] as const;
  const { port, live } = await runAttached({
    journal: redisJournal({ client: ioredis(server.port), ...options }),
  });
  const page = await subscribe(port);
  for (let i = 0; i < 5000; i++) nodes[0].journal.append(draft(`POST:/a/${i}`));
  await nodes[0].journal.flush();
  await until(() => nodes.every(({ sink }) => sink.entries.at(-1)?.offset === 5000));
  for (const { sink } of nodes) {
    expect(sink.entries.length).toBeLessThan(5000);
    // Each hole is told: offsets count up by one, or a history begins at the one before.
    const resets = sink.resets.map(({ offset }) => offset + 1);
    const offsets = sink.entries.map(({ offset }) => offset);
    const jumps = offsets.filter((offset, i) => offset !== (offsets[i - 1] ?? 0) + 1);
    expect(resets).toEqual(expect.arrayContaining(jumps));
    expect(new Set(offsets).size).toBe(offsets.length);
    expect(new Set(sink.resets.map(({ epoch }) => epoch)).size).toBe(1);
  }
  live.notify('POST:/last');
  await until(() => topicsOf(page).includes('POST:/last'));
  expect(topicsOf(page).length).toBeLessThan(5000);
  expect(page.text()).toMatch(/^@\S+ (changed|resync)\n/m);
});
