import { streamReader } from '../../lib/client/stream.ts';
import { until } from '../support/server.ts';
import { startNotifier } from './notifier.ts';
import { connectTo } from './stage.ts';

const TOPICS = ['POST:/a', 'PUT:/日本/ä😀', 'DELETE:/b'];
const STREAM = Buffer.from(`${TOPICS.join('//EOM//')}//EOM//`);

describe('on the binary wire', () => {
  test('the stream is joined wherever it was cut', async () => {
    const server = await startNotifier('binary');
    const live = connectTo(server.url);
    const calls: string[] = [];
    live.on('*:/**', ({ topic, position }) => calls.push(topic + (position ? ' with a position' : '')));
    const { ws } = await server.peer(0);
    await until(() => live.state === 'live');
    for (let cut = 1; cut < STREAM.length; cut++) {
      calls.length = 0;
      ws.send(STREAM.subarray(0, cut));
      ws.send(STREAM.subarray(cut));
      await until(() => calls.length >= TOPICS.length);
      expect([cut, calls]).toEqual([cut, TOPICS]);
    }
    calls.length = 0;
    for (const byte of STREAM) ws.send(Buffer.of(byte));
    await until(() => calls.length >= TOPICS.length);
    expect(calls).toEqual(TOPICS);
    expect(live.position).toBeUndefined();
  });

  test('the client filters by itself and says heartbeats only', async () => {
    const server = await startNotifier('binary');
    // Connecting may take one and a half times as long.
    const live = connectTo(server.url, { heartbeatMs: 100 });
    const calls: string[] = [];
    live.on('PUT:/**', ({ topic }) => calls.push(topic));
    const peer = await server.peer(0);
    peer.ws.send(STREAM);
    await until(() => peer.heard.length >= 4 && calls.length);
    expect(calls).toEqual([TOPICS[1]]);
    const beat = Buffer.from('heartbeat');
    expect(peer.heard.every((said) => Buffer.compare(Buffer.from(said), beat) === 0)).toBe(true);
    // Four heartbeats in silence: such a server is silent while nothing happens.
    expect(server.peers.length).toBe(1);
  });

  test('a connection after a lost one refreshes all, since this wire cannot tell what was missed', async () => {
    const server = await startNotifier('binary');
    const live = connectTo(server.url);
    const calls: Array<[string, string | undefined]> = [];
    live.on('*:/**', ({ topic, replay }) => calls.push([topic, replay]));
    const first = await server.peer(0);
    await until(() => live.state === 'live');
    expect(calls).toEqual([]);
    first.ws.send(Buffer.from('POST:/half'));
    first.ws.close(4429);
    const second = await server.peer(1);
    second.ws.send(STREAM.subarray(0, 14));
    await until(() => calls.length === 2);
    expect(calls).toEqual([
      ['*:/**', 'resync'],
      ['POST:/a', undefined],
    ]);
  });
});

test('a stream without an end marker does not grow for ever', () => {
  const linesOf = streamReader();
  const say = (text: string) => linesOf(new TextEncoder().encode(text).buffer);
  for (let i = 0; i < 100; i++) expect(say('x'.repeat(10_000))).toEqual(['@']);
  expect(say('//EOM//')[0]?.length).toBeLessThanOrEqual(65_536);
});
