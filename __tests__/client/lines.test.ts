import type { Notification } from '../../lib/client/index.ts';
import { until } from '../support/server.ts';
import { startNotifier } from './notifier.ts';
import { connectTo, setGlobal } from './stage.ts';

const topics = (calls: readonly Notification[]) => calls.map(({ topic }) => topic);

describe('on reqcast.v1', () => {
  test('the first message says since and all patterns, one line each', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url);
    live.on('POST:/a', () => {});
    live.on('*:/b/**', () => {});
    live.on('*:/b/**', () => {});
    live.on('state', () => {});
    const peer = await server.peer(0);
    expect(peer.heard).toEqual(['since -\n+POST:/a\n+*:/b/**']);
    expect(peer.offered).toEqual(['reqcast.v1', 'binary']);
    expect(peer.url).toBe('/websockify?token=d29rbm90aWZpY2F0aW9ucw');
  });

  test('what a page wants is said when it is something else, once for all that changed together', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url);
    const peer = await server.peer(0);
    const first = live.on('POST:/a', () => {});
    live.on('POST:/b', () => {});
    await null;
    const second = live.on('POST:/a', () => {});
    live.on('resync', () => {})();
    await null;
    second();
    second();
    await null;
    first();
    live.on('POST:/a', () => {})();
    await null;
    await until(() => peer.heard.length >= 3);
    expect(peer.heard.slice(1)).toEqual(['since -\n+POST:/a\n+POST:/b', 'since -\n+POST:/b']);
  });

  test('a listener is called with topic, data, position and time', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url);
    const calls: Notification[] = [];
    live.on('*:/a/**', (notification) => calls.push(notification));
    const { ws } = await server.peer(0);
    expect(live.state).toBe('connecting');
    const before = Date.now();
    ws.send('@e:3 live\n');
    ws.send('POST:/a/b {"text":"x y\u2028 ä"}\nPOST:/other\nDELETE:/a\n@e:6\n');
    await until(() => calls.length === 2);
    expect(calls[0]).toEqual({
      topic: 'POST:/a/b',
      data: { text: 'x y\u2028 ä' },
      position: { epoch: 'e', offset: 6 },
      time: expect.any(Number),
    });
    expect(calls[0]?.time).toBeGreaterThanOrEqual(before);
    expect(topics(calls)).toEqual(['POST:/a/b', 'DELETE:/a']);
    expect(live.state).toBe('live');
    expect(live.position).toEqual({ epoch: 'e', offset: 6 });
  });

  test('a lost connection is resumed from the last position, and calls nobody twice', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url);
    const calls: Notification[] = [];
    live.on('*:/**', (notification) => calls.push(notification));
    const first = await server.peer(0);
    first.ws.send('@e:3 live\nPOST:/a\n@e:4\nPOST:/cut\n');
    await until(() => calls.length === 1);
    first.ws.terminate();
    const second = await server.peer(1);
    expect(second.heard).toEqual(['since e:4\n+*:/**']);
    second.ws.send('@e:4 replayed\n');
    second.ws.send('POST:/cut\nPOST:/c\n@e:6\n');
    await until(() => calls.length === 3);
    expect(topics(calls)).toEqual(['POST:/a', 'POST:/cut', 'POST:/c']);
    expect(calls.every(({ replay }) => replay === undefined)).toBe(true);
  });

  test('changed calls each listener that it concerns once, then things go on as ever', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url);
    const all: Notification[] = [];
    const other: Notification[] = [];
    const deaf: Notification[] = [];
    live.on('*:/**', (notification) => all.push(notification));
    live.on('POST:/none', (notification) => other.push(notification));
    live.on('*:/**', (notification) => deaf.push(notification), { replay: false });
    const { ws } = await server.peer(0);
    ws.send('@e:9 changed\nPOST:/a\nPUT:/b\n@e:9\n');
    ws.send('POST:/c\n@e:10\n');
    await until(() => deaf.length);
    expect(all.map(({ topic, replay }) => [topic, replay])).toEqual([
      ['POST:/a', 'changed'],
      ['POST:/c', undefined],
    ]);
    expect(other).toEqual([]);
    expect(topics(deaf)).toEqual(['POST:/c']);
    ws.send('@e:12 changed\nPOST:/a\n@e:12\n');
    await until(() => all.length === 3);
    expect(all[2]).toMatchObject({ topic: 'POST:/a', replay: 'changed', position: { offset: 12 } });
  });

  test('changed without a topic leaves the next frame as it is', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url);
    const calls: Notification[] = [];
    live.on('*:/**', (notification) => calls.push(notification));
    const { ws } = await server.peer(0);
    ws.send('@e:9 changed\n');
    ws.send('POST:/c 1\n@e:10\n');
    await until(() => calls.length);
    expect(calls[0]).toMatchObject({ topic: 'POST:/c', data: 1, replay: undefined });
  });

  test('resync calls each listener once with its pattern, also in the middle of a connection', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url);
    const calls: string[] = [];
    const note = ({ topic, replay }: Notification) => calls.push(`${topic} ${replay}`);
    live.on('*:/a/**', note);
    live.on('POST:/b', note);
    live.on('POST:/b', note, { replay: false });
    live.on('POST:/c', note, { replay: false });
    live.on('resync', () => calls.push('page'));
    live.on('state', (state) => calls.push(state));
    const { ws } = await server.peer(0);
    ws.send('@e:1 live\n');
    ws.send('@f:0 resync\n');
    await until(() => calls.length > 1);
    expect(calls).toEqual(['live', '*:/a/** resync', 'POST:/b resync', 'page']);
    expect(live.position).toEqual({ epoch: 'f', offset: 0 });
  });

  test('lines that are not known and data that is not JSON harm nobody', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url);
    const calls: Notification[] = [];
    const faults: Array<() => void> = [];
    setGlobal('queueMicrotask', (thrower: () => void) => faults.push(thrower));
    const { ws } = await server.peer(0);
    live.on('*:/**', (notification) => calls.push(notification));
    faults.length = 0;
    ws.send('@e:1 live\nhello:/x\n#\n\nPOST:/bad {"\nPOST:/a\n@e:2\n');
    await until(() => calls.length);
    expect(topics(calls)).toEqual(['POST:/a']);
    expect(faults.length).toBe(1);
    expect(faults[0]).toThrow(SyntaxError);
    expect(live.position?.offset).toBe(2);
  });

  test('heartbeats go out, and silence ends the connection', async () => {
    const server = await startNotifier();
    const live = connectTo(server.url, { heartbeatMs: 20 });
    const states: string[] = [];
    live.on('state', (state) => states.push(state));
    const first = await server.peer(0);
    first.ws.send('@e:1 live\n');
    const beat = setInterval(() => first.ws.send('@e:1\n'), 10);
    await until(() => first.heard.filter((line) => line === 'heartbeat').length >= 4);
    clearInterval(beat);
    expect(server.peers.length).toBe(1);
    await server.peer(1);
    expect(states).toEqual(['live', 'waiting', 'connecting']);
  });
});

test('live.close ends the connection, once and for all', async () => {
  const server = await startNotifier();
  const live = connectTo(server.url);
  const states: string[] = [];
  live.on('state', (state) => states.push(state));
  live.on('*:/**', () => states.push('called'));
  const { ws } = await server.peer(0);
  ws.send('@e:1 live\n');
  await until(() => live.state === 'live');
  const closed = new Promise((resolve) => ws.once('close', resolve));
  live.close();
  live.close();
  await closed;
  expect(states).toEqual(['live', 'closed']);
  expect(live.state).toBe('closed');
  expect(server.peers.length).toBe(1);
});
