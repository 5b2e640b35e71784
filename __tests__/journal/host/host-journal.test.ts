import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Draft } from '../../../lib/journal/entry.ts';
import { fileJournal } from '../../../lib/journal/file/file-journal.ts';
import { type HostJournalOptions, hostJournal } from '../../../lib/journal/host/host-journal.ts';
import type { Journal } from '../../../lib/journal/journal.ts';
import { memoryJournal } from '../../../lib/journal/memory.ts';
import { all, draft, Recorder } from '../../contract/journal-contract.ts';
import { until } from '../../support/server.ts';
import { knock, puppet, stage, type Talk } from './stage.ts';

describe('of many processes', () => {
  test('one makes the journal, and all are told of all entries, with the same positions', async () => {
    const { join: enter } = stage();
    const journal = jest.fn(() => memoryJournal());
    const processes = await Promise.all(
      Array.from({ length: 6 }, (_, i) => enter({ journal, node: `web-${i}` })),
    );
    for (const [i, { journal }] of processes.entries()) journal.append(draft(`POST:/from/${i}`));
    await until(() => processes.every(({ sink }) => sink.entries.length === 6));
    expect(journal).toHaveBeenCalledTimes(1);
    const [first] = processes;
    for (const { sink } of processes) {
      expect(sink.entries).toEqual(first?.sink.entries);
      expect(sink.resets).toEqual(first?.sink.resets);
      expect(sink.faults).toEqual([]);
    }
    expect(first?.sink.entries.map(({ topic, node }) => `${topic} ${node}`).sort()).toEqual(
      processes.map((_, i) => `POST:/from/${i} web-${i}`),
    );
  });

  test('one that comes later is handed the newest entries, as many as it asks for', async () => {
    const { join: enter } = stage();
    const { journal } = await enter();
    for (let i = 1; i <= 5; i++) journal.append(draft(`POST:/a/${i}`));
    await journal.flush();
    const { sink } = await enter({}, 2);
    expect(sink.calls).toEqual(['reset', 4, 5]);
    expect(sink.resets[0]?.offset).toBe(3);
  });

  test('one leads, and another does when that ends', async () => {
    const { enter } = stage();
    const led = [0, 1].map(() => jest.fn());
    const [first, second] = await Promise.all(
      led.map(async (leads) => {
        const journal = enter();
        await journal.open(Object.assign(new Recorder(), { leads }), 10);
        return { journal, leads };
      }),
    );
    const [owner, follower] = first?.leads.mock.lastCall?.[0] === true ? [first, second] : [second, first];
    expect(follower?.leads.mock.calls).toEqual([[false]]);
    await owner?.journal.close();
    await until(() => follower?.leads.mock.calls.length === 2);
    expect(follower?.leads.mock.calls).toEqual([[false], [true]]);
    expect(owner?.leads.mock.calls).toEqual([[true]]);
  });
});

describe('when the owner closes', () => {
  test('another opens the file at once, and positions go on', async () => {
    const { directory, join: enter } = stage();
    const journal = () => fileJournal({ path: join(directory, 'log') });
    const owner = await enter({ journal });
    const followers = [await enter({ journal }), await enter({ journal })];
    owner.journal.append(draft('POST:/from/owner'));
    const writing = followers.map(async ({ journal }, i) => {
      for (let n = 0; n < 200; n++) {
        journal.append(draft(`POST:/from/${i}/${n}`));
        if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
        if (n === 100 && i === 0) await owner.journal.close();
      }
    });
    await Promise.all(writing);
    await Promise.all(followers.map(({ journal }) => journal.flush()));
    await until(() => followers.every(({ sink }) => sink.entries.length === 401));
    for (const { sink } of followers) {
      expect(sink.calls).toEqual(['reset', ...Array.from({ length: 401 }, (_, i) => i + 1)]);
      expect(sink.faults).toEqual([]);
      for (const i of [0, 1])
        expect(sink.topics.filter((topic) => topic?.startsWith(`POST:/from/${i}/`))).toEqual(
          Array.from({ length: 200 }, (_, n) => `POST:/from/${i}/${n}`),
        );
    }
  });

  test('and the journal was in memory, another history begins, and what waited is in it', async () => {
    const { join: enter } = stage();
    const owner = await enter();
    const { journal, sink } = await enter();
    owner.journal.append(draft('POST:/old'));
    await until(() => sink.topics.includes('POST:/old'));
    await owner.journal.close();
    journal.append(draft('POST:/new'));
    await journal.flush();
    expect(sink.calls).toEqual(['reset', 1, 'reset', 1]);
    expect(sink.resets[0]?.epoch).not.toBe(sink.resets[1]?.epoch);
    expect(journal.stats()).toEqual({ waiting: 0, lost: 0, connected: true });
  });

  test('nothing is left of the socket when it was the last', async () => {
    const { directory, join: enter } = stage();
    const { journal } = await enter();
    await journal.close();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('when the owner dies', () => {
  /** Does with the first draft what an owner does. */
  async function keep(file: Journal, guest: Talk): Promise<void> {
    const { from } = await guest.hears('since');
    const { append, seq } = await guest.hears('append');
    file.append({ ...(append as Draft), origin: `${from}:${seq}` });
  }

  test('a draft that it wrote and told nobody of is not written again, and the next one is', async () => {
    const { directory, socketPath, join: enter } = stage();
    const path = join(directory, 'log');
    const file = fileJournal({ path });
    const kept = new Recorder();
    await file.open(kept, 10);
    const owner = await puppet(socketPath, kept.resets[0] as never);
    const { journal, sink } = await enter({ journal: () => fileJournal({ path }), node: 'web-1' });
    for (const topic of ['POST:/written', 'POST:/said']) journal.append(draft(topic));
    const guest = await until(() => owner.guests[0]);
    await until(() => guest.heard.some(({ seq }) => seq === 2));
    await keep(file, guest);
    await file.close();
    owner.die();
    await journal.flush();
    expect(sink.calls).toEqual(['reset', 1, 2]);
    expect(sink.entries).toEqual([
      { offset: 1, node: 'web-1', ...draft('POST:/written') },
      { offset: 2, node: 'web-1', ...draft('POST:/said') },
    ]);
    expect((await all(journal)).map(({ topic }) => topic)).toEqual(['POST:/said', 'POST:/written']);
  });

  test('nor is one that lies further back than what the next owner reads at its start', async () => {
    const { directory, socketPath, join: enter } = stage();
    const path = join(directory, 'log');
    const file = fileJournal({ path });
    const kept = new Recorder();
    await file.open(kept, 10);
    const owner = await puppet(socketPath, kept.resets[0] as never);
    const { journal, sink } = await enter({ journal: () => fileJournal({ path }) }, 10);
    journal.append(draft('POST:/mine'));
    await keep(file, await until(() => owner.guests[0]));
    for (let i = 0; i < 10_100; i++) file.append(draft('POST:/others'));
    await file.close();
    owner.die();
    await journal.flush();
    expect(sink.resets.map(({ epoch }) => epoch)).toEqual([kept.resets[0]?.epoch, kept.resets[0]?.epoch]);
    expect(await all(journal, { topic: 'POST:/mine' })).toHaveLength(1);
    expect(sink.calls.at(-1)).toBe(10_101);
  });

  test('one that is silent keeps the socket and is reported once, and what waited goes to the next', async () => {
    const { socketPath, join: enter } = stage();
    const owner = await puppet(socketPath, { epoch: 'e1', offset: 0 });
    const { journal, sink } = await enter();
    expect(journal.stats().connected).toBe(true);
    journal.append(draft('POST:/first'));
    await journal.flush();
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
    expect(sink.faults[0]?.message).toMatch(
      /has said nothing for 3 s\. Clients stay connected, entries wait/,
    );
    expect(journal.stats()).toEqual({ waiting: 1, lost: 0, connected: false });
    journal.append(draft('POST:/second'));
    await journal.flush();
    expect(owner.guests).toHaveLength(1);
    owner.die();
    await until(() => journal.stats().waiting === 0);
    expect(sink.topics).toEqual(['POST:/first', 'POST:/second']);
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
    expect(journal.stats()).toEqual({ waiting: 0, lost: 0, connected: true });
  });
});

describe('an owner that is not understood', () => {
  test('is asked again, not without end, and is reported once; nobody waits for it', async () => {
    const { socketPath, join: enter } = stage();
    const bad = { epoch: 'e1', offset: 3, time: 1, topic: 'POST:/a' };
    const owner = await puppet(socketPath, { epoch: 'e1', offset: 0 }, (guest) =>
      guest.say({ reset: { epoch: 'e1', offset: 0 }, head: 0 }, bad),
    );
    const { journal, sink } = await enter();
    journal.append(draft('POST:/mine'));
    await journal.flush();
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
    expect(sink.faults[0]?.message).toMatch(
      'is not understood: e1:3 does not follow. Clients stay connected',
    );
    expect(owner.guests.length).toBeLessThan(50);
    await journal.close();
  });

  test('or refuses to say how things stand, is asked again until it does', async () => {
    const { socketPath, join: enter } = stage();
    const reset = { reset: { epoch: 'e1', offset: 0 }, head: 0 };
    const refusal = { error: { code: 'JOURNAL_READ_FAILED', message: 'no' } };
    const owner = await puppet(socketPath, { epoch: 'e1', offset: 0 }, (guest) =>
      guest.say(owner.guests.length === 2 ? refusal : reset),
    );
    const { journal, sink } = await enter();
    owner.guests[0]?.socket.destroy();
    await until(() => owner.guests.length === 3 && journal.stats().connected);
    expect(sink.faults).toEqual([]);
  });
});

test('a journal behind it that cannot be opened prevents opening, and leaves no socket', async () => {
  const { directory, enter } = stage();
  const journal = enter({ journal: () => fileJournal({ path: join(directory, 'missing', 'log') }) });
  const opened = journal.open(new Recorder(), 10);
  await expect(opened).rejects.toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
  await expect(opened).rejects.toThrow('directory that exists');
  expect(readdirSync(directory)).toEqual([]);
});

test('what the owner’s journal cannot write waits, and nobody waits for it', async () => {
  const { join: enter } = stage();
  const inner = memoryJournal();
  const stuck = { waiting: 1, lost: 0, connected: false };
  const journal = () => ({
    ...inner,
    open: inner.open.bind(inner),
    append: () => {},
    close: async () => {},
    query: inner.query.bind(inner),
    flush: async () => {},
    stats: () => stuck,
  });
  await enter({ journal });
  const follower = await enter();
  follower.journal.append(draft('POST:/a'));
  await follower.journal.flush();
  expect(follower.journal.stats()).toEqual({ waiting: 1, lost: 0, connected: false });
  await follower.journal.close();
  expect(follower.sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
});

describe('a query', () => {
  test('finds the same everywhere, however much it is', async () => {
    const { join: enter } = stage();
    const owner = await enter();
    const { journal } = await enter();
    const data = 'x'.repeat(1000);
    for (let i = 0; i < 5000; i++) owner.journal.append(draft('POST:/a', { data: { i, data } }));
    await owner.journal.flush();
    const found = await all(journal, { to: new Date(2000) });
    expect(found).toHaveLength(5000);
    expect(found).toEqual(await all(owner.journal));
  });

  test('that is left early takes no more from the owner', async () => {
    const { join: enter } = stage();
    let asked = 0;
    const inner = memoryJournal();
    const journal = () =>
      Object.assign(Object.create(inner), {
        open: inner.open.bind(inner),
        append: inner.append.bind(inner),
        stats: inner.stats.bind(inner),
        close: inner.close.bind(inner),
        async *query() {
          for (const data of Array(10_000).fill('x'.repeat(10_000))) {
            asked++;
            yield { offset: 1, time: 1, data };
          }
        },
      });
    await enter({ journal });
    const follower = await enter();
    for await (const entry of follower.journal.query()) if (entry) break;
    const { journal: third } = await enter();
    third.append(draft('POST:/a'));
    await third.flush();
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(1000);
  });

  test('that nobody can answer says so', async () => {
    const { join: enter } = stage();
    const owner = await enter();
    const { journal } = await enter();
    await journal.close();
    await owner.journal.close();
    await expect(all(journal)).rejects.toMatchObject({ code: 'JOURNAL_UNREACHABLE' });
  });
});

describe('the socket', () => {
  test.each([
    [undefined, 0o600],
    [0o660, 0o660],
  ])('with mode %p has the permissions %p', async (mode, found) => {
    const { socketPath, join: enter } = stage();
    await enter({ ...(mode && { mode }) });
    expect(statSync(socketPath).mode & 0o777).toBe(found);
  });

  test('is in a directory of this user’s, made if need be, into which nobody else can write', async () => {
    const { directory } = stage();
    const made = hostJournal({ socketPath: join(directory, 'made', 'host') });
    await made.open(new Recorder(), 10);
    expect(statSync(join(directory, 'made')).mode & 0o777).toBe(0o700);
    await made.close();
    const open = join(directory, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const opened = hostJournal({ socketPath: join(open, 'host') }).open(new Recorder(), 10);
    await expect(opened).rejects.toMatchObject({
      code: 'JOURNAL_OPEN_FAILED',
      message: expect.stringContaining('can be written by others'),
      cause: expect.objectContaining({ code: 'SOCKET_UNSAFE' }),
    });
    expect(existsSync(join(open, 'host'))).toBe(false);
  });

  test('is waited for when its owner answers nothing, and not for ever', async () => {
    const { socketPath, enter } = stage();
    const owner = await puppet(socketPath, { epoch: 'e1', offset: 5 });
    const opened = enter().open(new Recorder(), 10);
    const guest = await until(() => owner.guests[0]);
    guest.say = () => {};
    await expect(opened).rejects.toMatchObject({
      code: 'JOURNAL_OPEN_FAILED',
      message: expect.stringContaining('has said nothing for 5 s'),
    });
  });
});

test.each<[string, unknown]>([
  ['socketPath', undefined],
  ['socketPath', ''],
  ['socketPath', 7],
  ['socketPath', '/a\0b'],
  ['socketPath', `/${'x'.repeat(200)}`],
  ['journal', memoryJournal()],
  ['node', 7],
  ['node', ''],
  ['mode', 0o1000],
  ['mode', '600'],
])('refuses %s %j', (name, value) => {
  const options = { socketPath: '/run/app/host', [name]: value } as HostJournalOptions;
  expect(() => hostJournal(options)).toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(`hostJournal ${name} is`),
    }),
  );
});

test('a writer that lost entries makes all refresh', async () => {
  const { directory, socketPath, join: enter } = stage();
  const path = join(directory, 'log');
  for (const journal of [() => memoryJournal(), () => fileJournal({ path })]) {
    const owner = await enter({ journal });
    const follower = await enter();
    owner.journal.append(draft('POST:/a'));
    await owner.journal.flush();
    const { say } = await knock(socketPath);
    say({ lost: true });
    await until(() => [owner, follower].every(({ sink }) => sink.resets.length === 2));
    owner.journal.append(draft('POST:/b'));
    await until(() => follower.sink.calls.at(-1) === 2);
    expect(follower.sink.resets[1]).toEqual({ epoch: expect.any(String), offset: 1 });
    expect(follower.sink.resets[1]?.epoch).not.toBe(follower.sink.resets[0]?.epoch);
    await follower.journal.close();
    await owner.journal.close();
  }
});
