import { MAX_PENDING_ENTRIES } from '../../../lib/journal/outbox.ts';
import { draft, type Recorder } from '../../contract/journal-contract.ts';
import { ioredis, LIBRARIES, RedisServer, testWithRedis } from '../../support/redis.ts';
import { afterwards, until } from '../../support/server.ts';
import { Switch } from '../../support/switch.ts';
import { epochOf } from '../nodes.ts';
import { prepareNode, startNode } from './stage.ts';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
const unreachable = (sink: Recorder) => sink.codes.filter((code) => code === 'JOURNAL_UNREACHABLE').length;

describe('while Redis is away', () => {
  testWithRedis.each(LIBRARIES)(
    'entries wait, and go out in order when it is back: %s',
    async (_name, clientOf) => {
      const server = await RedisServer.forTest(...DURABLE);
      const { journal, sink } = await startNode(server.port, { client: clientOf(server.port) });
      for (let outage = 1; outage <= 2; outage++) {
        await server.kill();
        for (let i = 0; i < 10; i++) journal.append(draft(`POST:/${outage}/${i}`));
        await until(() => unreachable(sink) === outage);
        expect(journal.stats()).toEqual({ waiting: 10, lost: 0, connected: false });
        await journal.flush();
        expect(journal.stats().waiting).toBe(10);
        await server.start();
        await until(() => journal.stats().waiting === 0);
        await journal.flush();
        expect(journal.stats()).toEqual({ waiting: 0, lost: 0, connected: true });
        // Only what has served is over.
        await until(() => sink.entries.length === outage * 10);
      }
      expect(sink.calls).toEqual(['reset', ...Array.from({ length: 20 }, (_, i) => i + 1)]);
      expect(sink.topics.slice(10)).toEqual(Array.from({ length: 10 }, (_, i) => `POST:/2/${i}`));
      expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE', 'JOURNAL_UNREACHABLE']);
      expect(sink.faults[0]?.message).toMatch(
        /Redis cannot be reached: .*ECONNREFUSED.*clients stay connected/,
      );
    },
  );

  testWithRedis('and answers nothing, it is an outage as well', async () => {
    const server = await RedisServer.forTest();
    const { journal, sink } = await startNode(server.port);
    await server.pause();
    afterwards(() => server.signal('SIGCONT'));
    journal.append(draft('POST:/a'));
    await until(() => unreachable(sink) === 1);
    expect(journal.stats()).toEqual({ waiting: 1, lost: 0, connected: false });
    server.signal('SIGCONT');
    await until(() => sink.topics.length === 1);
    await journal.flush();
    expect(sink.calls).toEqual(['reset', 1]);
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
  });

  testWithRedis.each(LIBRARIES)(
    'a journal opens, and goes over to the shared history when it is there: %s',
    async (_name, clientOf) => {
      const server = await RedisServer.forTest();
      const before = await startNode(server.port);
      before.journal.append(draft('POST:/before'));
      await before.journal.flush();
      const epoch = epochOf(before);
      await before.journal.close();

      const line = await Switch.to(1);
      const node = prepareNode(server.port, { client: clientOf(line.port) });
      node.journal.append(draft('POST:/early'));
      await node.journal.open(node.sink, 10);
      expect(node.sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
      expect(node.sink.resets).toEqual([{ epoch: expect.not.stringMatching(epoch as string), offset: 0 }]);
      expect(node.journal.stats()).toEqual({ waiting: 1, lost: 0, connected: false });
      line.lead(server.port);
      await until(() => node.sink.topics.length === 2);
      expect(node.sink.resets.slice(1)).toEqual([{ epoch, offset: 0 }]);
      expect(node.sink.topics).toEqual(['POST:/before', 'POST:/early']);
      expect(node.sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
    },
  );

  testWithRedis(
    'more than there is room for is reported and counted, and everybody is told to refresh',
    async () => {
      const server = await RedisServer.forTest(...DURABLE);
      const one = await startNode(server.port);
      const other = await startNode(server.port);
      const epoch = epochOf(one);
      await server.kill();
      for (let i = 0; i < MAX_PENDING_ENTRIES + 100; i++) one.journal.append({ time: i });
      expect(one.journal.stats()).toMatchObject({ waiting: MAX_PENDING_ENTRIES, lost: 100 });
      expect(one.sink.codes.filter((code) => code === 'OVERLOADED')).toHaveLength(1);
      await server.start();
      await until(() => [one, other].every((node) => epochOf(node) !== epoch));
      await one.journal.flush();
      await until(() => other.sink.entries.length === MAX_PENDING_ENTRIES);
      expect(one.sink.entries.length).toBe(MAX_PENDING_ENTRIES);
      expect(epochOf(one)).toBe(epochOf(other));
      expect(one.sink.resets).toHaveLength(2);
      one.journal.append(draft('POST:/after'));
      await one.journal.flush();
      expect(one.sink.entries.at(-1)?.offset).toBe(MAX_PENDING_ENTRIES + 1);
    },
    60_000,
  );

  testWithRedis('a journal closes, and says what it could not bring there', async () => {
    const server = await RedisServer.forTest();
    const { journal, sink } = await startNode(server.port);
    await server.kill();
    for (let i = 0; i < 3; i++) journal.append(draft(`POST:/a/${i}`));
    await journal.close();
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE', 'JOURNAL_WRITE_FAILED']);
    expect(sink.faults[1]?.message).toMatch(/^3 entries/);
  });

  testWithRedis('a query says so', async () => {
    const server = await RedisServer.forTest();
    const { journal } = await startNode(server.port);
    await server.kill();
    const asked = journal.query()[Symbol.asyncIterator]().next();
    await expect(asked).rejects.toMatchObject({ code: 'JOURNAL_READ_FAILED' });
  });
});

describe('a connection that breaks', () => {
  testWithRedis('is made again without a word, a hole or a double', async () => {
    const server = await RedisServer.forTest();
    const line = await Switch.to(server.port);
    const { journal, sink } = await startNode(line.port);
    for (let i = 0; i < 1000; i++) {
      journal.append(draft(`POST:/a/${i}`));
      if (i % 20 === 0) await new Promise((done) => setImmediate(done));
      if (i % 100 !== 50) continue;
      line.cut();
      await until(() => sink.entries.length > i);
    }
    await until(() => sink.entries.length === 1000);
    await journal.flush();
    expect(sink.calls).toEqual(['reset', ...Array.from({ length: 1000 }, (_, i) => i + 1)]);
    expect(new Set(sink.topics).size).toBe(1000);
    expect(sink.faults).toEqual([]);
  });

  testWithRedis.each(LIBRARIES)(
    'after Redis took the entries, and before it said so, doubles none: %s',
    async (_name, clientOf) => {
      const server = await RedisServer.forTest();
      const line = await Switch.to(server.port);
      const other = await startNode(server.port);
      const { journal, sink } = await startNode(line.port, { client: clientOf(line.port) });
      let swallowed = 0;
      line.swallow = (sent) => {
        if (swallowed > 0 || !sent.includes('POST:/a')) return false;
        swallowed++;
        return true;
      };
      journal.append(draft('POST:/a'));
      await until(() => other.sink.topics.includes('POST:/a'));
      expect(journal.stats().waiting).toBe(1);
      other.journal.append(draft('POST:/between'));
      await other.journal.flush();
      line.cut();
      journal.append(draft('POST:/b'));
      await until(() => sink.topics.includes('POST:/b'));
      await journal.flush();
      expect(sink.topics).toEqual(['POST:/a', 'POST:/between', 'POST:/b']);
      await until(() => other.sink.topics.length === 3);
      expect(other.sink.topics).toEqual(sink.topics);
      expect(sink.resets).toHaveLength(1);
    },
  );
});

describe('what trying again does not heal', () => {
  testWithRedis('fails at the opening: something else under the key', async () => {
    const server = await RedisServer.forTest();
    await server.ask('set', '{reqcast}:entries', 'something else');
    const { journal, sink } = prepareNode(server.port);
    await expect(journal.open(sink, 10)).rejects.toMatchObject({
      code: 'JOURNAL_OPEN_FAILED',
      message: expect.stringContaining('WRONGTYPE'),
    });
    journal.append(draft('POST:/a'));
    await journal.close();
  });

  testWithRedis('fails at the opening: a wrong password', async () => {
    const server = await RedisServer.forTest();
    await server.ask('acl', 'setuser', 'app', 'on', '>right', '~*', '+@all');
    const client = ioredis(server.port, { username: 'app', password: 'wrong' });
    const { journal, sink } = prepareNode(server.port, { client });
    await expect(journal.open(sink, 10)).rejects.toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
  });
});
