import { MAX_PENDING_BYTES } from '../../../lib/journal/outbox.ts';
import { draft } from '../../contract/journal-contract.ts';
import { LIBRARIES, NatsServer, testWithNats } from '../../support/nats.ts';
import { afterwards, until } from '../../support/server.ts';
import { Switch } from '../../support/switch.ts';
import { append, epochOf, range } from '../nodes.ts';
import { prepareNode, startNode } from './stage.ts';

describe('while NATS is away', () => {
  testWithNats('entries wait, and go out in order when it is back, with each library', async () => {
    const server = await NatsServer.forTest();
    const nodes = await Promise.all(
      LIBRARIES.map(async ([, connect], n) => {
        const connection = await connect(server.port);
        return startNode(server.port, { connection, stream: `s${n}` });
      }),
    );
    for (const node of nodes) await append(node, 'before', 5);
    await server.kill();
    for (const { journal } of nodes) for (let i = 0; i < 10; i++) journal.append(draft(`POST:/a/${i}`));
    await until(() => nodes.every(({ sink }) => sink.codes.includes('JOURNAL_UNREACHABLE')));
    for (const { journal } of nodes)
      expect(journal.stats()).toEqual({ waiting: 10, lost: 0, connected: false });
    await server.start();
    await until(() => nodes.every(({ sink }) => sink.entries.length === 15));
    for (const { journal, sink } of nodes) {
      await journal.flush();
      expect(sink.calls).toEqual(['reset', ...range(1, 15)]);
      expect(sink.topics.slice(5)).toEqual(range(0, 9).map((i) => `POST:/a/${i}`));
      expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
      expect(sink.faults[0]?.message).toMatch(/NATS cannot be reached: .*clients stay connected/);
    }
  });

  testWithNats('and answers nothing, it is an outage as well', async () => {
    const server = await NatsServer.forTest();
    const { journal, sink } = await startNode(server.port);
    await server.pause();
    afterwards(() => server.signal('SIGCONT'));
    journal.append(draft('POST:/a'));
    await until(() => sink.codes.includes('JOURNAL_UNREACHABLE'));
    expect(journal.stats()).toEqual({ waiting: 1, lost: 0, connected: false });
    server.signal('SIGCONT');
    await until(() => sink.topics.length === 1);
    await journal.flush();
    expect(sink.calls).toEqual(['reset', 1]);
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
  });

  testWithNats(
    'more than there is room for is reported and counted, and everybody is told to refresh',
    async () => {
      const server = await NatsServer.forTest();
      const one = await startNode(server.port);
      const other = await startNode(server.port);
      const epoch = epochOf(one);
      await server.kill();
      const { journal } = one;
      // The room is one of characters too, and NATS confirms each entry.
      while (journal.stats().lost < 10) journal.append({ time: 0, data: 'x'.repeat(512 * 1024) });
      const { waiting } = journal.stats();
      expect(waiting).toBe(MAX_PENDING_BYTES / (512 * 1024) - 1);
      await server.start();
      await until(() => [one, other].every((node) => epochOf(node) !== epoch));
      await journal.flush();
      await until(() => other.sink.entries.length === waiting);
      expect(one.sink.entries).toHaveLength(waiting);
      expect(epochOf(one)).toBe(epochOf(other));
      expect(one.sink.resets).toHaveLength(2);
      expect(journal.stats()).toEqual({ waiting: 0, lost: 10, connected: true });
    },
    40_000,
  );
});

testWithNats('entries that were stored and not confirmed are not doubled', async () => {
  const server = await NatsServer.forTest();
  const line = await Switch.to(server.port);
  const other = await startNode(server.port);
  const { journal, sink } = await startNode(line.port);
  let swallowed = false;
  line.swallow = (sent) => {
    if (swallowed || !sent.includes('POST:/a')) return false;
    swallowed = true;
    return true;
  };
  journal.append(draft('POST:/a'));
  await until(() => other.sink.topics.includes('POST:/a'));
  expect(journal.stats().waiting).toBe(1);
  await append(other, 'between', 1);
  line.cut();
  journal.append(draft('POST:/b'));
  await until(() => sink.topics.includes('POST:/b'));
  await journal.flush();
  expect(sink.topics).toEqual(['POST:/a', 'POST:/between/0', 'POST:/b']);
  await until(() => other.sink.topics.length === 3);
  expect(other.sink.topics).toEqual(sink.topics);
  expect(sink.resets).toHaveLength(1);
  expect(sink.faults).toEqual([]);
});

describe('what trying again does not heal fails at the opening', () => {
  testWithNats('a server without JetStream', async () => {
    const { port } = await NatsServer.forTest('-m', '0');
    const { journal, sink } = await prepareNode(port);
    await expect(journal.open(sink, 10)).rejects.toMatchObject({
      code: 'JOURNAL_OPEN_FAILED',
      message: expect.stringContaining('nats-server -js'),
    });
  });

  testWithNats('a stream of other settings', async () => {
    const server = await NatsServer.forTest();
    const subjects = ['reqcast.entry', 'reqcast.epoch'];
    await server.ask('STREAM.CREATE.reqcast', { name: 'reqcast', subjects, max_msgs: 50 });
    const { journal, sink } = await prepareNode(server.port);
    await expect(journal.open(sink, 10)).rejects.toMatchObject({
      code: 'JOURNAL_OPEN_FAILED',
      message: expect.stringContaining('--max-msgs=110000'),
    });
  });
});
