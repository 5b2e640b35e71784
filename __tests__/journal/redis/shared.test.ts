import { hostname } from 'node:os';
import { all, draft } from '../../contract/journal-contract.ts';
import { ioredis, LIBRARIES, nodeRedis, RedisServer, testWithRedis } from '../../support/redis.ts';
import { until } from '../../support/server.ts';
import { epochOf } from '../nodes.ts';
import { prepareNode, startNode } from './stage.ts';

const withoutNode = ({ resets, calls }: { resets: unknown[]; calls: unknown[] }) => ({ resets, calls });

describe('processes that share a journal', () => {
  testWithRedis('deliver the same entries in the same order', async () => {
    const { port } = await RedisServer.forTest();
    const nodes = await Promise.all([startNode(port), startNode(port), startNode(port)]);
    const count = 500;
    for (let i = 0; i < count; i++) {
      for (const [n, { journal }] of nodes.entries()) journal.append(draft(`POST:/n${n}/${i}`));
      if (i % 50 === 0) await nodes[0]?.journal.flush();
    }
    await Promise.all(nodes.map(({ journal }) => journal.flush()));
    await until(() => nodes.every(({ sink }) => sink.entries.length === 3 * count));
    const [first, ...others] = nodes.map(({ sink }) => sink);
    expect(first?.entries.map(({ offset }) => offset)).toEqual(
      Array.from({ length: 3 * count }, (_, i) => i + 1),
    );
    for (const other of others) {
      expect(other.entries).toEqual(first?.entries);
      expect(withoutNode(other)).toEqual(withoutNode(first as typeof other));
    }
    for (const n of nodes.keys()) {
      const own = first?.topics.filter((topic) => topic?.startsWith(`POST:/n${n}/`));
      expect(own).toEqual(Array.from({ length: count }, (_, i) => `POST:/n${n}/${i}`));
    }
  });

  testWithRedis('know the history before them, and go on from there', async () => {
    const { port } = await RedisServer.forTest();
    const early = await startNode(port, { node: 'early' });
    for (let i = 0; i < 1200; i++) early.journal.append(draft(`POST:/a/${i}`));
    await early.journal.flush();
    const late = prepareNode(port, { node: 'late' });
    await late.journal.open(late.sink, 1100);
    expect(late.sink.resets).toEqual([{ epoch: epochOf(early), offset: 100 }]);
    expect(late.sink.entries).toEqual(early.sink.entries.slice(100));
    late.journal.append(draft('POST:/late'));
    await late.journal.flush();
    await until(() => early.sink.entries.length === 1201);
    expect(early.sink.entries.at(-1)).toEqual({ ...draft('POST:/late'), offset: 1201, node: 'late' });
    const asked = await all(early.journal, { node: 'late' });
    expect(asked.map(({ offset }) => offset)).toEqual([1201]);
    expect(await all(late.journal, { limit: 1101 })).toEqual([...late.sink.entries].reverse());
  });

  testWithRedis('name themselves by host and process unless told otherwise', async () => {
    const { port } = await RedisServer.forTest();
    const { journal, sink } = await startNode(port);
    journal.append(draft('POST:/a'));
    await journal.flush();
    expect(sink.entries[0]?.node).toBe(`${hostname()}:${process.pid}`);
  });

  testWithRedis('have nothing to do with those of another key', async () => {
    const { port } = await RedisServer.forTest();
    const one = await startNode(port, { key: 'one' });
    const other = await startNode(port, { key: 'app{other}' });
    one.journal.append(draft('POST:/a'));
    other.journal.append(draft('POST:/b'));
    await Promise.all([one.journal.flush(), other.journal.flush()]);
    expect(one.sink.topics).toEqual(['POST:/a']);
    expect(other.sink.topics).toEqual(['POST:/b']);
  });

  testWithRedis('pass over what somebody else puts into their stream, however much it is', async () => {
    const server = await RedisServer.forTest();
    const { journal, sink } = await startNode(server.port);
    journal.append(draft('POST:/before'));
    await journal.flush();
    const foreign = Array.from({ length: 1200 }, () =>
      server.ask('xadd', '{reqcast}:entries', '*', 'a', 'b'),
    );
    await Promise.all(foreign);
    journal.append(draft('POST:/after'));
    await journal.flush();
    expect(sink.topics).toEqual(['POST:/before', 'POST:/after']);
    expect((await all(journal)).map(({ topic }) => topic)).toEqual(['POST:/after', 'POST:/before']);
    expect(sink.faults).toEqual([]);
  });
});

describe('Redis', () => {
  const calls = async (server: RedisServer, command: string) =>
    Number(
      new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(
        String(await server.ask('info', 'commandstats')),
      )?.[1],
    );

  testWithRedis('is asked once for a notification, and far less often under load', async () => {
    const server = await RedisServer.forTest();
    const { journal } = await startNode(server.port);
    const before = await calls(server, 'evalsha');
    const started = performance.now();
    for (let i = 0; i < 20; i++) {
      journal.append(draft(`POST:/a/${i}`));
      await journal.flush();
    }
    // The history is looked at each second, too.
    const looks = () => Math.ceil((performance.now() - started) / 1000) + 1;
    const single = (await calls(server, 'evalsha')) - before;
    expect(single).toBeGreaterThanOrEqual(20);
    expect(single).toBeLessThanOrEqual(20 + looks());
    for (let i = 0; i < 5000; i++) journal.append(draft(`POST:/b/${i}`));
    await journal.flush();
    const loaded = (await calls(server, 'evalsha')) - before - single;
    expect(loaded).toBeLessThanOrEqual(5 + looks());
  });

  testWithRedis.each(LIBRARIES)(
    'is left as it was by a journal on %s that is closed',
    async (_name, clientOf) => {
      const server = await RedisServer.forTest();
      const client = clientOf(server.port);
      const { journal } = await startNode(server.port, { client });
      const connections = async () =>
        String(await server.ask('client', 'list', 'type', 'normal'))
          .trim()
          .split('\n').length;
      journal.append(draft('POST:/a'));
      await journal.flush();
      expect(await connections()).toBe(3);
      await journal.close();
      await until(async () => (await connections()) === 1);
    },
  );
});

describe('the client of the app', () => {
  testWithRedis('goes on working after the journal is closed: ioredis', async () => {
    const { port } = await RedisServer.forTest();
    const client = ioredis(port);
    await client.set('a', '1');
    const { journal } = await startNode(port, { client });
    await journal.close();
    expect(client.status).toBe('ready');
    expect(await client.get('a')).toBe('1');
  });

  testWithRedis('goes on working after the journal is closed: node-redis', async () => {
    const { port } = await RedisServer.forTest();
    const client = await nodeRedis(port).connect();
    await client.set('a', '1');
    const { journal } = await startNode(port, { client });
    await journal.close();
    expect(client.isReady).toBe(true);
    expect(await client.get('a')).toBe('1');
    await client.close();
  });

  testWithRedis('gives its settings: the database and the prefix of keys', async () => {
    const server = await RedisServer.forTest();
    const client = ioredis(server.port, { db: 3, keyPrefix: 'app:' });
    const { journal, sink } = await startNode(server.port, { client });
    journal.append(draft('POST:/a'));
    await journal.flush();
    expect(sink.topics).toEqual(['POST:/a']);
    expect(await client.call('xlen', '{reqcast}:entries')).toBe(2);
    await server.ask('select', 3);
    expect(await server.ask('exists', 'app:{reqcast}:entries')).toBe(1);
  });

  test.each([
    [undefined, 'undefined'],
    [{}, 'a Object'],
    [{ duplicate() {}, sendCommand() {} }, 'a Object'],
    ['redis://localhost', 'redis://localhost'],
  ])('is refused when it is none: %p', (client, shown) => {
    expect(() => prepareNode(0, { client: client as never })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(`client is ${shown};`),
      }),
    );
  });
});

test.each([
  [{ key: '' }, 'key is ""'],
  [{ maxEntries: 0 }, 'maxEntries is 0'],
  [{ maxAgeMs: 1.5 }, 'maxAgeMs is 1.5'],
  [{ node: '' }, 'node is ""'],
])('%j is refused', (options, message) => {
  expect(() => prepareNode(0, options)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
  );
});
