import { ROOM_MESSAGES } from '../../../lib/journal/nats/stream.ts';
import { all, draft } from '../../contract/journal-contract.ts';
import { type connectNats, LIBRARIES, NatsServer, testWithNats } from '../../support/nats.ts';
import { until } from '../../support/server.ts';
import { append, epochOf, range } from '../nodes.ts';
import { prepareNode, startNode } from './stage.ts';

testWithNats('processes deliver the same entries in the same order', async () => {
  const { port } = await NatsServer.forTest();
  const nodes = await Promise.all([startNode(port), startNode(port), startNode(port)]);
  const count = 500;
  for (let i = 0; i < count; i++)
    for (const [n, { journal }] of nodes.entries()) journal.append(draft(`POST:/n${n}/${i}`));
  await Promise.all(nodes.map(({ journal }) => journal.flush()));
  await until(() => nodes.every(({ sink }) => sink.entries.length === 3 * count));
  const [first, ...others] = nodes.map(({ sink }) => sink);
  expect(first?.calls).toEqual(['reset', ...range(1, 3 * count)]);
  for (const other of others) expect(other.entries).toEqual(first?.entries);
  for (const n of nodes.keys())
    expect(first?.topics.filter((topic) => topic?.startsWith(`POST:/n${n}/`))).toEqual(
      range(0, count - 1).map((i) => `POST:/n${n}/${i}`),
    );
});

testWithNats('processes that start at once make one stream', async () => {
  const { port } = await NatsServer.forTest();
  for (let i = 0; i < 20; i++) {
    const stream = `s${i}`;
    const nodes = await Promise.all(Array.from({ length: 5 }, () => startNode(port, { stream })));
    expect(new Set(nodes.map(epochOf)).size).toBe(1);
    expect(nodes.flatMap(({ sink }) => sink.codes)).toEqual([]);
  }
});

testWithNats.each(LIBRARIES)('a stream is told of before it listens: %s', async (_name, connect) => {
  const { port } = await NatsServer.forTest();
  const connection = await connect(port);
  const request = connection.request.bind(connection);
  let unheard = 3;
  // To the server it is the same: nobody has subscribed yet.
  connection.request = (subject, ...rest) =>
    request(subject.endsWith('.epoch') && unheard-- > 0 ? 'nobody' : subject, ...rest);
  const node = await startNode(port, { connection });
  await append(node, 'a', 1);
  expect(node.sink.calls).toEqual(['reset', 1]);
  expect(node.sink.codes).toEqual([]);
  expect(unheard).toBeLessThan(0);
});

testWithNats('a process knows the history before it, and goes on from there', async () => {
  const { port } = await NatsServer.forTest();
  const early = await startNode(port, { node: 'early' });
  await append(early, 'a', 1200);
  const late = await prepareNode(port, { node: 'late' });
  await late.journal.open(late.sink, 1100);
  expect(late.sink.resets).toEqual([{ epoch: epochOf(early), offset: 100 }]);
  expect(late.sink.entries).toEqual(early.sink.entries.slice(100));
  await append(late, 'late', 1);
  await until(() => early.sink.entries.length === 1201);
  expect((await all(early.journal, { node: 'late' })).map(({ offset }) => offset)).toEqual([1201]);
});

testWithNats('one message is stored for a notification', async () => {
  const server = await NatsServer.forTest();
  const node = await startNode(server.port);
  const before = (await server.state()).last_seq;
  for (let i = 0; i < 20; i++) await append(node, 'a', 1);
  expect((await server.state()).last_seq).toBe(before + 20);
});

testWithNats('maxEntries keeps so many of the newest entries, and the epoch', async () => {
  const server = await NatsServer.forTest();
  const node = await startNode(server.port, { maxEntries: 100 });
  const count = ROOM_MESSAGES * 2;
  await append(node, 'a', count);
  const { messages, first_seq } = await server.state();
  expect(messages).toBe(ROOM_MESSAGES + 100);
  expect(first_seq).toBeGreaterThan(1);
  expect(node.sink.calls).toEqual(['reset', ...range(1, count)]);
  const late = await prepareNode(server.port, { maxEntries: 100 });
  await late.journal.open(late.sink, 100);
  expect(late.sink.resets).toEqual([{ epoch: epochOf(node), offset: count - 100 }]);
  const kept = await all(late.journal);
  expect(kept.map(({ offset }) => offset)).toEqual(range(count - kept.length + 1, count).reverse());
  expect(kept.length).toBeGreaterThan(ROOM_MESSAGES);
});

testWithNats(
  'maxAgeMs removes what is older, and the epoch goes on',
  async () => {
    const server = await NatsServer.forTest();
    const node = await startNode(server.port, { maxAgeMs: 10_000 });
    await append(node, 'a', 10);
    await until(async () => (await server.state()).first_seq > 11);
    const late = await startNode(server.port, { maxAgeMs: 10_000 });
    expect(late.sink.resets).toEqual([{ epoch: epochOf(node), offset: 10 }]);
    await append(late, 'b', 1);
    await until(() => node.sink.entries.length === 11);
    expect(node.sink.calls).toEqual(['reset', ...range(1, 11)]);
  },
  40_000,
);

testWithNats.each(LIBRARIES)('the connection of the app is left as it was: %s', async (_name, connect) => {
  const server = await NatsServer.forTest();
  const connection = await connect(server.port);
  const node = await startNode(server.port, { connection });
  await append(node, 'a', 3);
  expect((await server.state()).consumer_count).toBe(1);
  await node.journal.close();
  await until(async () => (await server.state()).consumer_count === 0);
  expect(connection.isClosed()).toBe(false);
  const app = connection as Awaited<ReturnType<typeof connectNats>>;
  await app.flush();
});

test.each([
  [{ connection: {} as never }, 'connection is a Object'],
  [{ stream: 'a.b' }, 'stream is "a.b"'],
  [{ maxEntries: 0 }, 'maxEntries is 0'],
  [{ maxAgeMs: 500 }, 'maxAgeMs is 500'],
  [{ replicas: 7 }, 'replicas is 7'],
  [{ node: '' }, 'node is ""'],
])('%j is refused', async (options, message) => {
  const shape = { request() {}, publish() {}, subscribe() {}, status() {}, isClosed() {} } as never;
  await expect(prepareNode(0, { connection: shape, ...options })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining(message),
  });
});

testWithNats('an entry that is larger than the server takes is lost with a fault', async () => {
  const { port } = await NatsServer.forTest();
  const node = await startNode(port);
  node.journal.append(draft('POST:/large', { data: 'x'.repeat(1024 * 1024) }));
  await append(node, 'a', 1);
  expect(node.sink.topics).toEqual(['POST:/a/0']);
  expect(node.sink.codes).toEqual(['INVALID_DATA']);
});
