import { createHash } from 'node:crypto';
import http from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectOptions, Live, Notification } from '../../lib/client/index.ts';
import { attach } from '../../lib/index.ts';
import { afterwards, listen, send, until } from '../support/server.ts';
import { subscribe } from '../support/subscriber.ts';
import { connectFake, connectTo, FakeSocket, openPage, setGlobal } from './stage.ts';

const nameOf = (live: Live) => live.headers()['Reqcast-Client'] as string;
const markOf = (name: string) => createHash('sha256').update(name).digest('base64').slice(0, 22);

/** A server that answers everything with 200, and what posts to it. */
async function startHost() {
  let finish: (() => void) | undefined;
  const server = http.createServer((_request, response) => {
    const task = host.task(response);
    finish = () => task.done();
    response.end();
  });
  const host = attach(server);
  afterwards(() => host.close());
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const port = await listen(server);
  return {
    port,
    url: `ws://127.0.0.1:${port}/websockify`,
    post: (path: string, headers = {}) => send(port, 'POST', path, { headers }),
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    finishTask: () => finish?.(),
  };
}

/** What a client's listeners are called with: one that wants everything, one that wants nothing of its own. */
async function listenAt(url: string, options: ConnectOptions = {}) {
  const live = connectTo(url, options);
  const all: Notification[] = [];
  const others: string[] = [];
  live.on('*:/**', (notification) => all.push(notification));
  live.on('*:/**', ({ topic, replay }) => others.push(replay ?? topic), { own: false });
  await until(() => live.state === 'live');
  return { live, all, others };
}

test('each connection has a name of its own, of at least 96 random bits, that the server takes', () => {
  const names = Array.from({ length: 20 }, () => nameOf(connectFake()));
  expect(new Set(names).size).toBe(20);
  for (const name of names) {
    expect(name).toMatch(/^[\w-]{1,64}$/);
    expect(name.match(/\d+/g)?.length).toBe(4);
  }
  const parts = names.flatMap((name) => name.split('-').map(Number));
  expect(Math.max(...parts)).toBeGreaterThan(2 ** 31);
});

describe('what a client caused by a request with its headers', () => {
  test('is known as its own, and skipped by a listener that wants none of it', async () => {
    const { url, post } = await startHost();
    const [page, other] = [await listenAt(url), await listenAt(url)];
    await post('/mine', page.live.headers());
    await post('/nobody');
    await until(() => page.all.length === 2 && other.all.length === 2);
    expect(page.all.map(({ own }) => own)).toEqual([true, undefined]);
    expect(page.others).toEqual(['POST:/nobody']);
    expect(other.all.map(({ own }) => own)).toEqual([undefined, undefined]);
    expect(other.others).toEqual(['POST:/mine', 'POST:/nobody']);
  });

  test('is known when it is replayed, too', async () => {
    const { url, post, cut } = await startHost();
    const { dispatch } = openPage();
    const page = await listenAt(url, { reconnect: { minMs: 60_000, maxMs: 60_000 } });
    cut();
    await until(() => page.live.state === 'waiting');
    await post('/mine', page.live.headers());
    await post('/nobody');
    dispatch('online');
    await until(() => page.all.length === 2);
    expect(page.others).toEqual(['POST:/nobody']);
  });

  test('goes to others with a mark that does not give its name away', async () => {
    const { port, url, post } = await startHost();
    const page = await listenAt(url);
    const wire = await subscribe(port);
    await post('/mine', page.live.headers());
    await until(() => wire.messages.length === 2);
    expect(wire.text()).toContain(`~${markOf(nameOf(page.live))}\nPOST:/mine\n`);
    expect(wire.text()).not.toContain(nameOf(page.live));
  });

  test('is not hidden by one who gives its mark for a name', async () => {
    const { url, post } = await startHost();
    const page = await listenAt(url);
    const mark = markOf(nameOf(page.live)).replace(/[+/]/g, '-');
    await post('/theirs', { 'Reqcast-Client': mark });
    await until(() => page.all.length);
    expect(page.others).toEqual(['POST:/theirs']);
  });

  test('does not include the end of a task, which it wants to know of', async () => {
    const { url, post, finishTask } = await startHost();
    const page = await listenAt(url);
    await post('/backup', page.live.headers());
    finishTask();
    await until(() => page.all.length === 2);
    expect(page.others).toEqual(['TASK:/backup']);
  });
});

describe('a mark', () => {
  async function connectMarked() {
    const live = connectFake({}, crypto.subtle);
    const calls: string[] = [];
    live.on('*:/**', ({ topic }) => calls.push(topic), { own: false });
    FakeSocket.last.open();
    await until(() => FakeSocket.last.sent.length > 0);
    FakeSocket.last.say('@e:1 live\n');
    const mark = markOf(nameOf(live));
    return { calls, mark, say: (...lines: string[]) => FakeSocket.last.say(`${lines.join('\n')}\n@e:3\n`) };
  }

  test('is about the next line and no other', async () => {
    const { calls, mark, say } = await connectMarked();
    say(
      `~${mark}`,
      'POST:/a',
      'POST:/b',
      `~${mark}`,
      '# unknown',
      'POST:/c',
      '~x',
      'POST:/d',
      '~',
      'POST:/e',
    );
    expect(calls).toEqual(['POST:/b', 'POST:/c', 'POST:/d', 'POST:/e']);
  });

  test('does not outlive a line that cannot be read', async () => {
    const { calls, mark, say } = await connectMarked();
    setGlobal('queueMicrotask', () => {});
    say(`~${mark}`, 'POST:/a {"', 'POST:/b');
    expect(calls).toEqual(['POST:/b']);
  });
});

test('the server is greeted when the mark is known, with all patterns by then, on the connection there is by then', async () => {
  const { subtle } = crypto;
  const computing: Array<() => void> = [];
  const digest: typeof subtle.digest = async (...what) => {
    await new Promise<void>((done) => computing.push(done));
    return subtle.digest(...what);
  };
  const live = connectFake({ reconnect: { minMs: 0 } }, { digest } as SubtleCrypto);
  const calls: string[] = [];
  live.on('*:/a', ({ replay, topic }) => calls.push(replay ?? topic), { own: false });
  FakeSocket.last.open();
  FakeSocket.last.fail();
  await until(() => FakeSocket.made.length === 2);
  FakeSocket.last.open();
  live.on('*:/b', () => {});
  expect(FakeSocket.made.map(({ sent }) => sent)).toEqual([[], []]);
  for (const done of computing) done();
  await until(() => FakeSocket.last.sent.length > 0);
  expect(FakeSocket.made.map(({ sent }) => sent)).toEqual([[], ['since -\n+*:/a\n+*:/b']]);
  FakeSocket.last.say(`@e:1 live\n~${markOf(nameOf(live))}\nPOST:/a\nPOST:/a\n@e:3\n`);
  expect(calls).toEqual(['resync', 'POST:/a']);
});

test('where there is no SubtleCrypto, every listener is called', async () => {
  setGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const { url, post } = await startHost();
  const page = await listenAt(url);
  await post('/mine', page.live.headers());
  await until(() => page.all.length);
  expect([page.others, page.all[0]?.own]).toEqual([['POST:/mine'], undefined]);
});

test('what is told at once for many is nobody’s own', async () => {
  const live = connectFake();
  const calls: unknown[] = [];
  live.on('*:/**', ({ replay, own }) => calls.push([replay, own]), { own: false });
  FakeSocket.last.open();
  FakeSocket.last.say('@e:1 changed\nPOST:/a\n@e:1\n');
  FakeSocket.last.say('@e:2 resync\n');
  expect(calls).toEqual([
    ['changed', undefined],
    ['resync', undefined],
  ]);
});
