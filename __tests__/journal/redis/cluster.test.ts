import { Redis } from 'ioredis';
import { createCluster } from 'redis';
import type { RedisClient } from '../../../lib/journal/redis/index.ts';
import { all, draft } from '../../contract/journal-contract.ts';
import { RedisServer, testWithRedis } from '../../support/redis.ts';
import { afterwards, refusingPort, until } from '../../support/server.ts';
import { startNode } from './stage.ts';

const isOk = async (server: RedisServer) =>
  String(await server.ask('cluster', 'info')).includes('cluster_state:ok');

const start = () =>
  RedisServer.forTest(
    ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
    ...['--cluster-require-full-coverage', 'no'],
  );

/** A cluster of one, which is as strict about keys as one of many. */
async function cluster(): Promise<RedisServer> {
  const server = await start();
  await server.ask('cluster', 'addslotsrange', 0, 16383);
  await until(() => isOk(server));
  return server;
}

/** The first one has the journal's keys. */
async function clusterOfTwo(): Promise<[RedisServer, RedisServer]> {
  const [own, other] = [await start(), await start()];
  const slot = Number(await own.ask('cluster', 'keyslot', '{reqcast}'));
  await own.ask('cluster', 'addslotsrange', slot, 16383);
  await other.ask('cluster', 'addslotsrange', 0, slot - 1);
  await own.ask('cluster', 'meet', '127.0.0.1', other.port);
  const knows = async () => ((await own.ask('cluster', 'slots')) as unknown[]).length === 2;
  await until(async () => (await isOk(own)) && (await knows()));
  return [own, other];
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
  ['node-redis', (port) => createCluster({ rootNodes: [nodeAt(port)] })],
];

const nodeAt = (port: number) => ({ socket: { host: '127.0.0.1', port } });

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

testWithRedis('node-redis is given all the time to find a server of a cluster that lives', async () => {
  const { port } = await cluster();
  const dead = Array<ReturnType<typeof nodeAt>>(30).fill(nodeAt(await refusingPort()));
  // It begins with any of them.
  const client = createCluster({ rootNodes: [...dead, nodeAt(port)] });
  const { sink } = await startNode(port, { client });
  expect(sink.codes).toEqual([]);
});

testWithRedis.each(CLIENTS)(
  'a server of a cluster that is dead and not the journal’s: %s',
  async (_name, clientOf) => {
    const [own, other] = await clusterOfTwo();
    await other.kill();
    const node = await startNode(own.port, { client: clientOf(own.port) });
    node.journal.append(draft('POST:/a'));
    await node.journal.flush();
    expect(node.sink.topics).toEqual(['POST:/a']);
    expect(node.sink.codes).toEqual([]);
  },
);
