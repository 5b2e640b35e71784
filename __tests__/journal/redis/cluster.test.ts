import { Redis } from 'ioredis';
import { createCluster } from 'redis';
import type { RedisClient } from '../../../lib/journal/redis/index.ts';
import { all, draft } from '../../contract/journal-contract.ts';
import { RedisServer, testWithRedis } from '../../support/redis.ts';
import { afterwards, until } from '../../support/server.ts';
import { startNode } from './stage.ts';

/** A cluster of one, which is as strict about keys as one of many. */
async function cluster(): Promise<RedisServer> {
  const server = await RedisServer.forTest('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1');
  await server.ask('cluster', 'addslotsrange', 0, 16383);
  await until(async () => String(await server.ask('cluster', 'info')).includes('cluster_state:ok'));
  return server;
}

const CLIENTS: [string, (port: number) => RedisClient][] = [
  [
    'ioredis',
    (port) => {
      const client = new Redis.Cluster([{ host: '127.0.0.1', port }], {
        lazyConnect: true,
        scaleReads: 'all',
      });
      client.on('error', () => {});
      afterwards(() => client.disconnect());
      return client;
    },
  ],
  ['node-redis', (port) => createCluster({ rootNodes: [{ socket: { host: '127.0.0.1', port } }] })],
];

testWithRedis.each(CLIENTS)('processes share a journal in a cluster: %s', async (_name, clientOf) => {
  const { port } = await cluster();
  const one = await startNode(port, { client: clientOf(port) });
  const other = await startNode(port, { client: clientOf(port) });
  for (let i = 0; i < 100; i++) (i % 2 ? one : other).journal.append(draft(`POST:/a/${i}`));
  await Promise.all([one.journal.flush(), other.journal.flush()]);
  await until(() => [one, other].every(({ sink }) => sink.entries.length === 100));
  expect(one.sink.entries).toEqual(other.sink.entries);
  expect(await all(one.journal)).toEqual([...one.sink.entries].reverse());
  expect([...one.sink.faults, ...other.sink.faults]).toEqual([]);
});

testWithRedis.each(CLIENTS)('a cluster that is away is an outage: %s', async (_name, clientOf) => {
  const server = await cluster();
  const { journal, sink } = await startNode(server.port, { client: clientOf(server.port) });
  await server.kill();
  journal.append(draft('POST:/a'));
  await until(() => sink.codes.includes('JOURNAL_UNREACHABLE'));
  await server.start();
  await until(() => sink.topics.includes('POST:/a'));
  expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
  expect(sink.resets).toHaveLength(2);
});
