import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import express from 'express';
import Koa from 'koa';
import {
  type Attachment,
  type AttachOptions,
  attach,
  fileJournal,
  hostJournal,
  type Journal,
  ReqcastError,
} from '../../lib/index.ts';
import { memoryJournal } from '../../lib/journal/memory.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards, listen, send, until } from '../support/server.ts';
import { refusal } from '../support/subscriber.ts';

function run(options: AttachOptions = {}) {
  const faults: Array<{ code: string; stage: string }> = [];
  const server = http.createServer((_request, response) => response.end());
  const live = attach(server, {
    onError: ({ code }, { stage }) => faults.push({ code, stage }),
    ...options,
  });
  afterwards(() => live.close());
  return { server, live, faults };
}

function tunneling(): Attachment {
  return run({ authorize: () => true, proxy: {} }).live;
}

describe('an option', () => {
  test.each([
    ['windowSize', 0],
    ['maxPatterns', 1.5],
    ['loopShare', 0],
    ['loopShare', 1.1],
    ['loopShare', Number.NaN],
    ['path', 'websockify'],
    ['path', '/a?b'],
    ['authorize', true],
    ['write', 'x'],
    ['methods', 'POST'],
    ['methods', ['post']],
    ['redact', [7]],
    ['routes', ['/a']],
    ['routes', { 'POST /a/:b': '/:b' }],
    ['routes', { '/a/:b': 'b' }],
    ['pushServer', '/run/app/feed'],
    ['journal', {}],
  ])('%s: %p is refused by name', (name, value) => {
    expect(() => attach(http.createServer(), { [name]: value } as AttachOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    );
  });

  test.each<[string, () => unknown]>([
    ['attach', () => attach(http.createServer(), { autorize: () => false } as AttachOptions)],
    ['proxy', () => attach({ authorize: () => true, proxy: { autorize: () => false } as never })],
    ['pushServer', () => attach({ pushServer: { path: '/run/app/feed' } as never })],
    ['notify', () => run().live.notify('POST:/a', 1, { audiences: ['staff'] } as never)],
    ['tokens.issue', () => tunneling().tokens.issue('vm', { audiences: ['ada'] } as never)],
    ['proxy.http', () => tunneling().proxy.http({ prefix: '/a', target: 'http://a/', auth: 1 } as never)],
    ['memoryJournal', () => memoryJournal({ max: 7 } as never)],
    ['fileJournal', () => fileJournal({ path: 'a', fsnyc: 'always' } as never)],
    ['fileJournal', () => fileJournal('requests.jsonl' as never)],
    ['hostJournal', () => hostJournal({ socketPath: '/run/app/host', modes: 0o660 } as never)],
  ])('of %s that nobody reads is refused, with those that are read', (what, call) => {
    expect(call).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(new RegExp(`^${what} .* options`)),
      }),
    );
  });

  test('announceLog that is no topic is refused', () => {
    expect(() => attach({ announceLog: 'logs' })).toThrow(expect.objectContaining({ code: 'INVALID_TOPIC' }));
  });

  test('proxy without authorize is refused with the reason', () => {
    expect(() => attach({ proxy: { targets: {} } })).toThrow(
      expect.objectContaining({
        code: 'PROXY_WITHOUT_AUTHORIZE',
        message: expect.stringContaining('authorize'),
      }),
    );
  });
});

test.each<[string, unknown[]]>([
  ['an app of Express', [express()]],
  ['an app of Koa', [new Koa(), { params: true }]],
  ['a server that is not made yet', [undefined, { params: true }]],
  ['a port', [3000]],
])('%s is no server', (_what, given) => {
  const call = () => attach(...(given as [http.Server]));
  expect(call).toThrow(
    expect.objectContaining({ code: 'NO_SERVER', message: expect.stringContaining('createServer(app)') }),
  );
});

test('a listener that is none is refused', () => {
  const { live } = run();
  expect(() => live.on('POST:/a', undefined as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('listener') }),
  );
});

test.each([[undefined], [{ res: {}, req: {} }]])(
  'a task of %p, which is no response, is refused',
  (response) => {
    const { live } = run();
    expect(() => live.task(response as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('reply.raw') }),
    );
  },
);

describe('notify', () => {
  test('reaches the app’s own listeners, also those of before ready', async () => {
    const { live } = run();
    const heard: unknown[] = [];
    const off = live.on('*:/a/**', ({ topic, data, position }) =>
      heard.push([topic, data, position?.offset]),
    );
    live.notify('POST:/a', { n: 1 });
    live.notify('POST:/b');
    await until(() => heard.length > 0);
    live.notify('DELETE:/a/1');
    await until(() => heard.length > 1);
    off();
    off();
    expect(heard).toEqual([
      ['POST:/a', { n: 1 }, 1],
      ['DELETE:/a/1', undefined, 3],
    ]);
  });

  test('gives data as it was at the call', async () => {
    const { live } = run();
    const heard: unknown[] = [];
    live.on('POST:/a', ({ data }) => heard.push(data));
    const data = { n: 1 };
    live.notify('POST:/a', data);
    data.n = 2;
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ n: 1 }]);
  });

  test.each([
    ['INVALID_TOPIC', 'nonsense', undefined],
    ['INVALID_DATA', 'POST:/a', 1n],
    ['INVALID_DATA', 'POST:/a', () => {}],
    ['INVALID_DATA', 'POST:/a', 'x'.repeat(70_000)],
  ])('throws %s for %p', (code, topic, data) => {
    const { live } = run();
    expect(() => live.notify(topic, data)).toThrow(expect.objectContaining({ code }));
  });

  test('refuses an audience in the options’ place, where it would be none', () => {
    const { live } = run();
    const notify = () => live.notify('POST:/a', 1, ['staff'] as never);
    expect(notify).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });

  test.each([['staff'], [null], [['staff', 7]], [{ length: 1 }]])(
    'refuses the audience %p, and serves everyone after it',
    async (audience) => {
      const { live } = run();
      const heard: unknown[] = [];
      live.on('*:/**', ({ topic }) => heard.push(topic));
      await live.ready;
      expect(() => live.notify('POST:/a', 1, { audience: audience as unknown as string[] })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('audience') }),
      );
      live.notify('POST:/b');
      await until(() => heard.length > 0);
      expect(heard).toEqual(['POST:/b']);
    },
  );

  test('refuses what has no text with the same codes', () => {
    const { live } = run();
    const textless = Object.create(null);
    const data = {
      toJSON() {
        throw textless;
      },
    };
    for (const [code, act] of [
      ['INVALID_TOPIC', () => live.notify(textless)],
      ['INVALID_DATA', () => live.notify('POST:/a', data)],
      ['INVALID_PATTERN', () => live.on(textless, () => {})],
    ] as const)
      expect(act).toThrow(expect.objectContaining({ name: 'ReqcastError', code }));
  });

  test('throws CLOSED after close', async () => {
    const { live } = run();
    await live.close();
    expect(() => live.notify('POST:/a')).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});

describe('a listener', () => {
  test('is gone with its signal', async () => {
    const { live } = run();
    const controller = new AbortController();
    const heard: string[] = [];
    live.on('*:/**', () => heard.push('gone'), { signal: controller.signal });
    live.on('*:/**', () => heard.push('never'), { signal: AbortSignal.abort() });
    live.on('*:/**', () => heard.push('stays'));
    controller.abort();
    live.notify('POST:/a');
    await until(() => heard.length > 0);
    expect(heard).toEqual(['stays']);
  });

  test('that throws is reported and does not stop the others', async () => {
    const { live, faults } = run();
    const heard: string[] = [];
    live.on('*:/**', () => {
      throw new Error('on purpose');
    });
    live.on('*:/**', ({ topic }) => heard.push(topic));
    live.notify('POST:/a');
    live.notify('POST:/b');
    await until(() => heard.length > 1);
    expect(heard).toEqual(['POST:/a', 'POST:/b']);
    expect(faults).toEqual(Array(2).fill({ code: 'CALLBACK_FAILED', stage: 'hub' }));
  });

  test('that fails later is reported', async () => {
    const { live, faults } = run();
    live.on('*:/**', async () => {
      throw new Error('on purpose');
    });
    await live.ready;
    live.notify('POST:/a');
    await until(() => faults.length > 0);
    expect(faults[0]).toMatchObject({ code: 'CALLBACK_FAILED' });
  });

  test('has a pattern that is checked at the call', () => {
    const { live } = run();
    expect(() => live.on('*', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_PATTERN' }));
  });
});

describe('a journal that cannot be opened', () => {
  const broken: Journal = {
    ...memoryJournal(),
    open: () => Promise.reject(new ReqcastError('JOURNAL_OPEN_FAILED', 'on purpose')),
    append: () => {},
    flush: async () => {},
    close: async () => {},
    query: () => memoryJournal().query(),
  };

  test('rejects ready, is reported, and leaves requests and notify alone', async () => {
    const { live, server, faults } = run({ journal: broken });
    await expect(live.ready).rejects.toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
    const port = await listen(server);
    expect((await send(port, 'POST', '/a')).status).toBe(200);
    expect(() => live.notify('POST:/a')).not.toThrow();
    expect(await refusal(`ws://127.0.0.1:${port}/websockify`, ['reqcast.v1'])).toMatchObject({ status: 503 });
    expect(faults).toEqual([{ code: 'JOURNAL_OPEN_FAILED', stage: 'journal' }]);
  });
});

test('more entries before the journal is open than fit into memory begin a new epoch', async () => {
  const path = join(temporaryDirectory(), 'requests.jsonl');
  const { live: before } = run({ journal: fileJournal({ path }) });
  await before.ready;
  await before.close();
  const { live, faults } = run({ journal: fileJournal({ path }) });
  for (let i = 0; i < 100_010; i++) live.notify('POST:/a');
  await live.ready;
  await live.journal.flush();
  expect(live.position?.offset).toBe(100_000);
  expect(live.position?.epoch).not.toBe(before.position?.epoch);
  expect(faults).toEqual([{ code: 'OVERLOADED', stage: 'journal' }]);
});

test('stats tells how things stand', async () => {
  const { live } = run();
  expect(live.stats()).toEqual({
    subscribers: 0,
    tunnels: 0,
    journal: { waiting: 0, lost: 0, connected: true },
  });
  await live.ready;
  const off = live.on('*:/**', () => {});
  expect(live.stats().subscribers).toBe(1);
  off();
  expect(live.stats().subscribers).toBe(0);
});

test('close is idempotent, and waits for what was accepted', async () => {
  const { live } = run();
  live.notify('POST:/a');
  const first = live.close();
  expect(live.close()).toBe(first);
  await first;
  const kept: unknown[] = [];
  for await (const { topic } of live.journal.query()) kept.push(topic);
  expect(kept).toEqual(['POST:/a']);
});

test('a fault without onError is a process warning, once for each code', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  afterwards(() => warn.mockRestore());
  const server = http.createServer((_request, response) => response.end());
  const live: Attachment = attach(server, {
    user: () => {
      throw new Error('on purpose');
    },
  });
  afterwards(() => live.close());
  const port = await listen(server);
  await send(port, 'POST', '/a');
  await send(port, 'POST', '/b');
  await live.close();
  expect(warn.mock.calls).toEqual([
    [expect.stringContaining('Option user threw'), { type: 'ReqcastWarning', code: 'CALLBACK_FAILED' }],
  ]);
});

test('an https server is as good', () => {
  const server = https.createServer();
  const live = attach(server);
  expect(server.listenerCount('upgrade')).toBe(1);
  return live.close();
});
