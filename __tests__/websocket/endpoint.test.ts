import net from 'node:net';
import { CloseCode } from '../../lib/index.ts';
import { memoryJournal } from '../../lib/journal/memory.ts';
import { runAttached } from '../support/attached.ts';
import { afterwards, send, until } from '../support/server.ts';
import { HUB_TOKEN, openWire, refusal, subscribe, topicsOf } from '../support/subscriber.ts';

describe('reqcast.v1', () => {
  test('begins with the position, then sends topics closed by theirs', async () => {
    const { live, port } = await runAttached();
    const wire = await subscribe(port, ['POST:/a', '*:/b/**']);
    expect(wire.ws.protocol).toBe('reqcast.v1');
    const { epoch } = live.position as { epoch: string };
    live.notify('POST:/a');
    live.notify('POST:/z');
    live.notify('DELETE:/b/1', { id: 'ä' });
    await until(() => wire.messages.length > 1);
    expect(wire.messages.map(({ data, isBinary }) => [String(data), isBinary])).toEqual([
      [`@${epoch}:0 live\n`, false],
      [`POST:/a\nDELETE:/b/1 {"id":"ä"}\n@${epoch}:3\n`, false],
    ]);
  });

  test('is closed with 1011 when it cannot be served, and others are served', async () => {
    const journal = memoryJournal();
    const unwritable = {
      toJSON() {
        throw new Error('on purpose');
      },
    };
    const faults: string[] = [];
    const { live, port } = await runAttached({
      journal: {
        open: (sink, history) =>
          journal.open(
            {
              ...sink,
              deliver: (entries) =>
                sink.deliver(
                  entries.map((entry) =>
                    entry.topic === 'POST:/bad' ? { ...entry, data: unwritable } : entry,
                  ),
                ),
            },
            history,
          ),
        append: (draft) => journal.append(draft),
        flush: () => journal.flush(),
        stats: () => journal.stats(),
        query: (query) => journal.query(query),
        close: () => journal.close(),
      },
      onError: ({ code }, { stage }) => faults.push(`${stage} ${code}`),
    });
    const [bad, other] = [await subscribe(port), await subscribe(port, ['POST:/good'])];
    live.notify('POST:/bad');
    expect(await bad.closed).toMatchObject({ code: CloseCode.serverError });
    expect(faults).toEqual(['hub CALLBACK_FAILED']);
    live.notify('POST:/good');
    await until(() => topicsOf(other).length > 0);
  });

  test('needs no token', async () => {
    const { live, port } = await runAttached();
    const wire = await subscribe(port, ['*:/**'], '-', { token: '' });
    live.notify('POST:/a');
    await until(() => topicsOf(wire).length > 0);
    expect(topicsOf(wire)).toEqual(['POST:/a']);
  });

  test('replays what was missed, each once and in order', async () => {
    const { live, port } = await runAttached();
    live.notify('POST:/1');
    const position = live.position as { epoch: string; offset: number };
    live.notify('POST:/2');
    live.notify('GET:/no');
    live.notify('POST:/3');
    const since = `${position.epoch}:${position.offset}`;
    const wire = await subscribe(port, ['POST:/**'], since);
    await until(() => wire.messages.length > 1);
    expect(wire.text()).toBe(`@${since} replayed\nPOST:/2\nPOST:/3\n@${position.epoch}:4\n`);
  });

  test.each(['other:1', 'nonsense'])('answers resync to the position %s', async (since) => {
    const { live, port } = await runAttached();
    live.notify('POST:/1');
    const wire = await subscribe(port, ['*:/**'], since);
    expect(wire.text()).toBe(`@${live.position?.epoch}:1 resync\n`);
  });

  test('takes patterns and drops them while open', async () => {
    const { live, port } = await runAttached();
    const wire = await subscribe(port, ['POST:/a']);
    wire.ws.send('+POST:/b\n-POST:/a\nheartbeat\n');
    wire.ws.ping();
    await new Promise((resolve) => wire.ws.once('pong', resolve));
    live.notify('POST:/a');
    live.notify('POST:/b');
    await until(() => topicsOf(wire).length > 0);
    expect(topicsOf(wire)).toEqual(['POST:/b']);
  });

  test('is sent what a pattern that it adds names since the position that comes with it', async () => {
    const { live, port } = await runAttached();
    const wire = await subscribe(port, ['POST:/a']);
    for (const topic of ['POST:/b', 'POST:/a', 'POST:/a', 'POST:/b']) live.notify(topic);
    await until(() => topicsOf(wire).length === 2);
    wire.ws.send(`since ${live.position?.epoch}:1\n+POST:/a\n+POST:/b`);
    await until(() => wire.text().endsWith(' 2\n'));
    expect(topicsOf(wire)).toEqual(['POST:/a', 'POST:/a', 'POST:/b']);
    expect(wire.messages.slice(-2).map(({ data }) => String(data))).toEqual([
      expect.stringMatching(/^POST:\/b\n@\S+:4\n$/),
      expect.stringMatching(/^@\S+:4 2\n$/),
    ]);
  });

  test.each([
    ['an unknown line', ['since -', 'hello'], CloseCode.badLine],
    ['no "since" first', ['+POST:/a'], CloseCode.badLine],
    ['"since" twice', ['since -\nsince -'], CloseCode.badLine],
    ['"since" after a pattern', ['since -', '+POST:/a\nsince -'], CloseCode.badLine],
    ['a malformed pattern', ['since -\n+*'], CloseCode.badLine],
    ['a pattern of many bytes', [`since -\n+${'日'.repeat(90)}`], CloseCode.badLine],
    ['too many patterns', ['since -\n+POST:/1\n+POST:/2\n+POST:/3'], CloseCode.badLine],
    ['a binary message', [Buffer.from('since -')], CloseCode.badLine],
    ['a message that is too large', ['x'.repeat(2000)], CloseCode.tooBig],
  ])('is closed at %s', async (_name, messages, code) => {
    const { port } = await runAttached({ maxPatterns: 2, maxMessageBytes: 1000 });
    const wire = await openWire(port, ['reqcast.v1']);
    for (const message of messages) wire.ws.send(message);
    expect(await wire.closed).toMatchObject({ code });
  });

  test('is closed when "since" does not come in time', async () => {
    const { port } = await runAttached({ handshakeTimeoutMs: 20 });
    const wire = await openWire(port, ['reqcast.v1']);
    expect(await wire.closed).toMatchObject({ code: CloseCode.handshakeTimeout });
  });
});

describe('the wires of WoK and websockify', () => {
  test.each([
    ['base64', ['base64'], 'base64', false],
    ['binary', ['binary'], 'binary', true],
    ['the first known of several', ['x', 'binary', 'base64'], 'binary', true],
    ['our own wherever it is offered', ['base64', 'reqcast.v1'], 'reqcast.v1', false],
    ['none', [], '', true],
  ])('are agreed on: %s', async (_name, offered, agreed, isBinary) => {
    const { live, port } = await runAttached();
    const wire = await openWire(port, offered);
    expect(wire.ws.protocol).toBe(agreed);
    if (agreed === 'reqcast.v1') return;
    live.notify('POST:/ä');
    live.notify('POST:/b', { ignored: 1 });
    await until(() => wire.messages.length > 0);
    const bytes = wire.messages.map(({ data }) =>
      agreed === 'base64' ? Buffer.from(data.toString(), 'base64').toString() : data.toString(),
    );
    expect(bytes).toEqual(['POST:/ä//EOM//POST:/b//EOM//']);
    expect(wire.messages[0]?.isBinary).toBe(isBinary);
  });

  test('ignore what the client says', async () => {
    const { live, port } = await runAttached();
    const wire = await openWire(port, ['base64']);
    wire.ws.send(Buffer.from('heartbeat').toString('base64'));
    wire.ws.send('\0garbage');
    live.notify('POST:/a');
    await until(() => wire.messages.length > 0);
    expect(wire.ws.readyState).toBe(wire.ws.OPEN);
  });
});

describe('an upgrade is refused with', () => {
  const base64url = (name: string) => Buffer.from(name).toString('base64url');
  const KEY = Buffer.alloc(16).toString('base64');

  test.each([
    [400, 'MISSING_TOKEN', '', []],
    [400, 'MISSING_TOKEN', '?token=', ['base64']],
    [400, 'BAD_TOKEN', '?token=%00', []],
    [400, 'BAD_TOKEN', '?token=_w', []],
    [400, 'BAD_TOKEN', `?token=${'a'.repeat(2000)}`, []],
    [404, 'UNKNOWN_TOKEN', `?token=${base64url('vm-7')}`, []],
    [400, 'NO_COMMON_SUBPROTOCOL', `?token=${HUB_TOKEN}`, ['graphql-transport-ws']],
  ])('%d %s for %p', async (status, code, query, protocols) => {
    const { url } = await runAttached();
    const refused = await refusal(url + query, protocols);
    expect(refused).toEqual({ status, body: expect.stringContaining(`${code}: `) });
  });

  test.each([
    ['false', 401, () => false],
    ['a rejection', 500, () => Promise.reject(new Error('on purpose'))],
    [
      'a throw',
      500,
      () => {
        throw new Error('on purpose');
      },
    ],
    ['nothing', 401, () => undefined as never],
  ])('what fits authorize giving %s', async (_name, status, authorize) => {
    const { url } = await runAttached({ authorize });
    expect(await refusal(`${url}?token=${HUB_TOKEN}`)).toMatchObject({ status });
  });

  test('503 when the server closes while authorize decides', async () => {
    let asked: (() => void) | undefined;
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { live, url } = await runAttached({
      authorize: () => {
        asked?.();
        return new Promise(() => {});
      },
    });
    const refused = refusal(`${url}?token=${HUB_TOKEN}`);
    await asking;
    await live.close();
    expect(await refused).toMatchObject({ status: 503 });
  });

  test('503 when authorize does not decide in time', async () => {
    const { url } = await runAttached({ authorize: () => new Promise(() => {}), handshakeTimeoutMs: 20 });
    expect(await refusal(`${url}?token=${HUB_TOKEN}`)).toMatchObject({ status: 503 });
  });

  test.each([
    [
      'no key',
      'GET /websockify?token=d29rbm90aWZpY2F0aW9ucw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      400,
    ],
    [
      'an old version',
      `GET /websockify?token=d29rbm90aWZpY2F0aW9ucw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 7\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
      400,
    ],
    [
      'a POST',
      `POST /websockify?token=d29rbm90aWZpY2F0aW9ucw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      405,
    ],
    [
      'a body',
      `GET /websockify?token=d29rbm90aWZpY2F0aW9ucw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\nContent-Length: 1\r\n\r\na`,
      400,
    ],
    [
      'a body in chunks',
      `GET /websockify?token=d29rbm90aWZpY2F0aW9ucw HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
      400,
    ],
  ])('the right status for a malformed handshake: %s', async (_name, request, status) => {
    const { port } = await runAttached();
    const socket = net.connect(port, '127.0.0.1');
    afterwards(() => socket.destroy());
    socket.write(request);
    let reply = '';
    socket.on('data', (chunk) => {
      reply += chunk;
    });
    await until(() => reply.includes('\r\n'));
    expect(reply.split('\r\n')[0]).toContain(` ${status} `);
  });
});

describe('who enters', () => {
  test('sees the entries of its audiences and the open ones', async () => {
    const { live, port } = await runAttached({
      authorize: ({ headers }) => (headers['x-user'] === 'root' ? ['staff'] : true),
    });
    const root = await subscribe(port, ['*:/**'], '-', { headers: { 'x-user': 'root' } });
    const guest = await subscribe(port);
    live.notify('POST:/secret', undefined, { audience: ['staff'] });
    live.notify('POST:/open');
    await until(() => topicsOf(root).length > 1 && topicsOf(guest).length > 0);
    expect(topicsOf(root)).toEqual(['POST:/secret', 'POST:/open']);
    expect(topicsOf(guest)).toEqual(['POST:/open']);
  });

  test('is told when the server goes', async () => {
    const { live, port, server } = await runAttached();
    const ours = await subscribe(port);
    const legacy = await openWire(port, ['base64']);
    await live.close();
    expect(await ours.closed).toMatchObject({ code: CloseCode.goingAway });
    expect(await legacy.closed).toMatchObject({ code: CloseCode.goingAway });
    expect(ours.text()).toMatch(/\nbye \d+\n$/);
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  test('does not hold up the close by not answering', async () => {
    const { live, port } = await runAttached({ closeTimeoutMs: 20 });
    const wire = await subscribe(port);
    wire.ws.pause();
    await live.close();
    expect((await send(port, 'GET', '/')).status).toBe(200);
  });
});

describe('heartbeats', () => {
  beforeEach(() => {
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'setTimeout'],
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('tell an idle subscriber its position, and cut off who does not answer', async () => {
    const { live, port } = await runAttached();
    const [healthy, dead] = [await subscribe(port, ['POST:/none']), await subscribe(port)];
    dead.ws.pause();
    // Added last, so that it is served last.
    const swept = new Promise((resolve) => live.on('POST:/a', resolve));
    live.notify('POST:/a');
    await swept;
    jest.advanceTimersByTime(30_000);
    await until(() => healthy.messages.length > 1);
    expect(healthy.messages.at(-1)?.data.toString()).toBe(`@${live.position?.epoch}:1\n`);
    healthy.ws.ping();
    await new Promise((resolve) => healthy.ws.once('pong', resolve));
    const closed = new Promise((resolve) => dead.ws.once('close', resolve));
    jest.advanceTimersByTime(30_000);
    dead.ws.resume();
    await closed;
    expect(healthy.ws.readyState).toBe(healthy.ws.OPEN);
  });
});

test('hears what was sent in one piece with the handshake', async () => {
  const { port } = await runAttached();
  const socket = net.connect(port, '127.0.0.1');
  afterwards(() => socket.destroy());
  const lines = ['GET /websockify HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'];
  const offer = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: reqcast.v1'];
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
  const since = Buffer.from('since -');
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | since.length, 0, 0, 0, 0]), since]);
  socket.write(Buffer.concat([Buffer.from(`${[...lines, ...offer, key].join('\r\n')}\r\n\r\n`), frame]));
  let heard = '';
  socket.on('data', (data) => {
    heard += data;
  });
  await until(() => heard.includes(' live'));
});
