import { all, draft } from '../../contract/journal-contract.ts';
import { until } from '../../support/server.ts';
import { knock, stage, type Talk } from './stage.ts';

const offsets = ({ heard }: Talk) => heard.flatMap(({ offset }) => offset ?? []);
const codes = ({ heard }: Talk) =>
  heard.flatMap(({ error }) => (error ? [(error as { code: string }).code] : []));

async function served() {
  const { socketPath, join } = stage();
  const { journal, sink } = await join({ node: 'web-1' });
  return { socketPath, journal, sink, knock: () => knock(socketPath) };
}

describe('any program', () => {
  test('publishes with a line, and may go at once', async () => {
    const { sink, knock } = await served();
    const { socket, say } = await knock();
    const before = Date.now();
    say({ topic: 'POST:/a', data: { ü: [1] }, audience: ['x'] }, { topic: 'POST:/b', node: 'cron' });
    socket.destroySoon();
    await until(() => sink.entries.length === 2);
    expect(sink.entries).toEqual([
      {
        offset: 1,
        time: expect.any(Number),
        topic: 'POST:/a',
        data: { ü: [1] },
        audience: ['x'],
        node: 'external',
      },
      { offset: 2, time: expect.any(Number), topic: 'POST:/b', node: 'cron' },
    ]);
    expect(sink.entries[0]?.time).toBeGreaterThanOrEqual(before);
  });

  test.each<[string, unknown]>([
    ['INVALID_DATA', 'no json'],
    ['INVALID_DATA', '[]'],
    ['INVALID_DATA', {}],
    ['INVALID_TOPIC', { topic: 'no topic' }],
    ['INVALID_TOPIC', { topic: null }],
    ['INVALID_OPTION', { topic: 'POST:/a', audience: null }],
    ['INVALID_OPTION', { topic: 'POST:/a', audience: 'admins' }],
    ['INVALID_DATA', { topic: 'POST:/a', audiences: ['admins'] }],
    ['INVALID_DATA', { topic: 'POST:/a', request: {} }],
    ['INVALID_DATA', { topic: 'POST:/a', node: 7 }],
    ['INVALID_DATA', { since: 'e1:7' }],
    ['INVALID_DATA', { since: null, history: -1 }],
    ['INVALID_DATA', { since: null, from: 'a:b' }],
    ['INVALID_DATA', { append: { time: 1, topic: 'POST:/a' }, seq: 1 }],
    ['INVALID_DATA', { append: { time: 1 } }],
    ['INVALID_QUERY', { query: { limit: -1 } }],
    ['INVALID_PATTERN', { query: { topic: 'no pattern' } }],
    ['INVALID_DATA', `{"topic":"POST:/a","data":"${'x'.repeat(70_000)}"}`],
  ])('is answered %s for %.60j, and stays', async (code, line) => {
    const { sink, knock } = await served();
    const one = await knock();
    one.say(line, { topic: 'POST:/after' });
    await until(() => sink.topics.length === 1);
    expect(codes(one)).toEqual([code]);
    expect(sink.topics).toEqual(['POST:/after']);
  });

  test('follows the stream from the beginning, or from where it was', async () => {
    const { journal, knock } = await served();
    for (let i = 1; i <= 5; i++) journal.append(draft(`POST:/a/${i}`));
    await journal.flush();
    const first = await knock();
    first.say({ since: null, history: 3 });
    await until(() => offsets(first).length === 3);
    const { epoch } = first.heard[1] as { epoch: string };
    expect(first.heard[0]).toMatchObject({ reset: { epoch, offset: 2 }, head: 5 });
    expect(first.heard[1]).toEqual({
      epoch,
      offset: 3,
      time: 1000,
      topic: 'POST:/a/3',
      node: 'web-1',
      origin: expect.any(String),
    });
    first.socket.destroy();
    journal.append(draft('POST:/a/6'));
    await journal.flush();
    const second = await knock();
    second.say({ since: { epoch, offset: 5 } });
    await until(() => offsets(second).length === 1);
    expect(second.heard[0]).toMatchObject({ resume: { epoch, offset: 5 }, head: 6 });
    journal.append(draft('POST:/a/7'));
    await until(() => offsets(second).length === 2);
    expect(offsets(second)).toEqual([6, 7]);
  });

  test('is told where the history is now when it comes from another, and from the head without asking for more', async () => {
    const { journal, knock } = await served();
    journal.append(draft('POST:/a'));
    await journal.flush();
    const one = await knock();
    one.say({ since: { epoch: 'other', offset: 1 } });
    expect(await one.hears('reset')).toMatchObject({ reset: { offset: 1 }, head: 1 });
  });

  test('asks, ends its half, and gets the whole answer', async () => {
    const { journal, knock } = await served();
    for (let i = 1; i <= 3000; i++) journal.append(draft('POST:/a', { data: 'x'.repeat(100) }));
    await journal.flush();
    const one = await knock();
    one.say({ query: { topic: 'POST:/a', limit: 2500 } });
    one.socket.end();
    await one.hears('end');
    expect(offsets(one)).toEqual(Array.from({ length: 2500 }, (_, i) => 3000 - i));
    await until(() => one.socket.closed);
  });

  test('hears a beat while nothing happens', async () => {
    const { knock } = await served();
    const one = await knock();
    one.say({ since: null });
    expect(await one.hears('beat')).toEqual({ beat: expect.any(Number), connected: true, accepted: 0 });
  });

  test('is left when its line does not end, and told why', async () => {
    const { sink, knock } = await served();
    const one = await knock();
    one.socket.write('x'.repeat(9 * 1024 * 1024));
    await until(() => one.socket.closed);
    expect(codes(one)).toEqual(['INVALID_DATA']);
    const other = await knock();
    other.say({ topic: 'POST:/a' });
    await until(() => sink.topics.length === 1);
  });
});

test('a reader that stalls costs little, holds nobody up, and is told that it fell out', async () => {
  const { journal, sink, knock } = await served();
  const one = await knock();
  one.say({ since: null });
  await one.hears('reset');
  one.socket.pause();
  for (let i = 0; i < 25_000; i++) journal.append(draft('POST:/a', { data: 'x'.repeat(100) }));
  await journal.flush();
  expect(sink.entries).toHaveLength(25_000);
  one.socket.resume();
  await until(() => one.heard.at(-1)?.offset === 25_000);
  const resets = one.heard.filter((line) => 'reset' in line);
  expect(resets).toHaveLength(2);
  const again = one.heard.findLastIndex((line) => 'reset' in line);
  const { reset } = resets[1] as { reset: { offset: number } };
  expect(reset.offset).toBe(15_000);
  const after = one.heard.slice(again).flatMap(({ offset }) => offset ?? []);
  expect(after).toEqual(Array.from({ length: 10_000 }, (_, i) => 15_001 + i));
});

test('who says what is refused and does not read the answers is not heard further until it does', async () => {
  const { sink, knock } = await served();
  const one = await knock();
  one.socket.pause();
  const lines = 50_000;
  one.socket.write(`{"unknown":"${'x'.repeat(200)}"}\n`.repeat(lines));
  const other = await knock();
  other.say({ topic: 'POST:/a' });
  await until(() => sink.topics.length === 1);
  expect(one.socket.writableLength).toBeGreaterThan(0);
  one.socket.resume();
  await until(() => codes(one).length === lines);
  expect(one.socket.writableLength).toBe(0);
});

test('who asks for the stream again and again and does not read the answers is not heard further until it does', async () => {
  const { sink, knock } = await served();
  const one = await knock();
  one.socket.pause();
  const lines = 100_000;
  one.socket.write('{"since":null}\n'.repeat(lines));
  const other = await knock();
  // Enough turns to hear all that was said.
  for (let turn = 1; turn <= 100; turn++) {
    other.say({ topic: 'POST:/a' });
    await until(() => sink.topics.length === turn);
  }
  expect(one.socket.writableLength).toBeGreaterThan(0);
  one.socket.resume();
  await until(() => one.heard.filter((line) => 'reset' in line).length === lines);
});

test.each(['offset', 'epoch'])('a draft that says its own %s is refused', async (name) => {
  const { sink, knock } = await served();
  const one = await knock();
  const value = { offset: 99, epoch: 'e1' }[name];
  one.say({ since: null, from: 'w1' }, { append: { ...draft('POST:/a'), [name]: value }, seq: 1 });
  one.say({ append: draft('POST:/b'), seq: 2 });
  await until(() => sink.topics.length === 1);
  expect(sink.calls).toEqual(['reset', 1]);
  expect(codes(one)).toEqual(['INVALID_DATA']);
});

test('a draft that is said twice is taken once, and one that is none is refused and counts', async () => {
  const { journal, sink, knock } = await served();
  const one = await knock();
  one.say({ since: null, from: 'w1' });
  const append = (topic: string, seq: number) => ({ append: draft(topic), seq });
  one.say(append('POST:/1', 1), append('POST:/2', 2), append('POST:/2', 2), append('POST:/1', 1));
  one.say({ append: { topic: 'POST:/no time' }, seq: 3 }, append('POST:/3', 3), append('POST:/4', 4));
  await until(() => sink.topics.includes('POST:/4'));
  expect(sink.topics).toEqual(['POST:/1', 'POST:/2', 'POST:/4']);
  expect(codes(one)).toEqual(['INVALID_DATA']);
  expect(await all(journal)).toHaveLength(3);
  const again = await knock();
  again.say({ since: null, from: 'w1' });
  expect(await again.hears('reset')).toMatchObject({ accepted: 4, stored: 4 });
});
