import { all, draft } from '../../contract/journal-contract.ts';
import { RedisServer, testWithRedis } from '../../support/redis.ts';
import { until } from '../../support/server.ts';
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
