import { connectFake, FakeSocket } from './stage.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

/** How long it takes, at the longest, until the next attempt. */
function waitOf(fail: () => void): number {
  const made = FakeSocket.made.length;
  fail();
  const start = Date.now();
  while (FakeSocket.made.length === made) jest.advanceTimersToNextTimer();
  return Date.now() - start;
}

describe('reconnecting', () => {
  test('waits a random part of a limit that doubles, up to 30 s', () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    connectFake();
    const waits = Array.from({ length: 8 }, () => waitOf(() => FakeSocket.last.fail()));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  });

  test('begins anew only after a connection has been live', () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    connectFake({ reconnect: { minMs: 100, maxMs: 1000 } });
    const openAndFail = () => {
      FakeSocket.last.open();
      FakeSocket.last.fail();
    };
    expect([waitOf(openAndFail), waitOf(openAndFail), waitOf(openAndFail)]).toEqual([50, 100, 200]);
    const liveAndFail = () => {
      FakeSocket.last.open();
      FakeSocket.last.say('@e:1 live\n');
      FakeSocket.last.fail();
    };
    expect([waitOf(liveAndFail), waitOf(liveAndFail)]).toEqual([50, 50]);
  });

  test('takes an error for the end of an attempt, for Node 22’s own class tells of no other', () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const live = connectFake();
    const [first] = FakeSocket.made as [FakeSocket];
    expect(waitOf(() => first.onerror?.({}))).toBe(500);
    FakeSocket.last.open();
    FakeSocket.last.say('@e:1 live\n');
    first.onerror?.({});
    expect(live.state).toBe('live');
  });

  test('comes back after bye when the server said', () => {
    const live = connectFake();
    const first = FakeSocket.last;
    first.open();
    first.say('@e:1 live\n');
    expect(waitOf(() => first.say('bye 412\n'))).toBe(412);
    expect(first.readyState).toBe(3);
    expect(live.state).toBe('connecting');
    FakeSocket.last.open();
    expect(FakeSocket.last.sent).toEqual(['since e:1']);
  });

  test('takes 45 s of silence for death, and not less', () => {
    connectFake();
    const first = FakeSocket.last;
    first.open();
    jest.advanceTimersByTime(44_000);
    first.say('@e:1 live\n');
    jest.advanceTimersByTime(44_999);
    expect(first.readyState).toBe(1);
    jest.advanceTimersByTime(1);
    expect(first.readyState).toBe(3);
    expect(first.sent).toEqual(['since -', 'heartbeat', 'heartbeat']);
  });

  test('gives up an attempt that neither opens nor fails', () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const live = connectFake();
    jest.advanceTimersByTime(45_000);
    expect(live.state).toBe('waiting');
    jest.advanceTimersByTime(500);
    expect(FakeSocket.made.length).toBe(2);
  });

  test.each([1009, 4400])('ends with %i, after which the same would happen again', (code) => {
    const say = jest.spyOn(console, 'error').mockImplementation(() => {});
    const live = connectFake();
    FakeSocket.last.open();
    FakeSocket.last.fail(code, 'malformed pattern');
    expect(live.state).toBe('closed');
    expect(say).toHaveBeenCalledWith(expect.any(String), 'malformed pattern');
    jest.advanceTimersByTime(60_000);
    expect(FakeSocket.made.length).toBe(1);
  });

  test.each([1000, 1001, 1006, 1008, 1011, 1013, 4401, 4408, 4429])('comes back after %i', (code) => {
    const live = connectFake();
    FakeSocket.last.open();
    FakeSocket.last.say('@e:1 live\n');
    waitOf(() => FakeSocket.last.fail(code));
    FakeSocket.last.open();
    expect([live.state, FakeSocket.last.sent]).toEqual(['connecting', ['since e:1']]);
  });

  test('refreshes all when the first attempts failed and nobody knows since when', () => {
    const live = connectFake();
    const calls: unknown[] = [];
    live.on('*:/**', ({ replay }) => calls.push(replay));
    waitOf(() => FakeSocket.last.fail());
    FakeSocket.last.open();
    FakeSocket.last.say('@e:1 live\n');
    expect(calls).toEqual(['resync']);
    waitOf(() => FakeSocket.last.fail());
    FakeSocket.last.open();
    FakeSocket.last.say('@e:1 replayed\n');
    expect(calls).toEqual(['resync']);
  });

  test('tells of each state', () => {
    const live = connectFake();
    const states: string[] = [];
    live.on('state', (state) => states.push(`${state}, and is ${live.state}`));
    FakeSocket.last.open();
    FakeSocket.last.say('@e:1 live\n');
    waitOf(() => FakeSocket.last.fail());
    live.close();
    expect(states).toEqual(
      ['live', 'waiting', 'connecting', 'closed'].map((state) => `${state}, and is ${state}`),
    );
  });

  test('may be ended from within a listener', () => {
    const live = connectFake();
    live.on('state', (state) => state === 'waiting' && live.close());
    FakeSocket.last.fail();
    jest.advanceTimersByTime(60_000);
    expect([live.state, FakeSocket.made.length, jest.getTimerCount()]).toEqual(['closed', 1, 0]);
  });
});

describe('live.close', () => {
  test('is for good, whatever the rest of the message says', () => {
    const live = connectFake();
    live.on('*:/**', () => live.close());
    FakeSocket.last.open();
    FakeSocket.last.say('@e:1 live\nPOST:/a\n@e:2\nbye 5\n');
    expect([live.state, jest.getTimerCount()]).toEqual(['closed', 0]);
  });

  test.each([
    ['while connecting', () => {}],
    ['while live', () => FakeSocket.last.open()],
    ['while waiting', () => FakeSocket.last.fail()],
  ])('leaves no timer %s', (_name, act) => {
    const live = connectFake();
    act();
    expect(jest.getTimerCount()).toBeGreaterThan(0);
    live.close();
    expect([live.state, jest.getTimerCount()]).toEqual(['closed', 0]);
    jest.advanceTimersByTime(120_000);
    expect(FakeSocket.made.length).toBe(1);
  });
});

test('no timer keeps the process alive', () => {
  jest.useRealTimers();
  const timers = jest.spyOn(globalThis, 'setTimeout');
  connectFake();
  FakeSocket.last.open();
  FakeSocket.last.say('@e:1 live\n');
  FakeSocket.last.fail();
  const made = timers.mock.results.map(({ value }) => value as NodeJS.Timeout);
  expect(made.length).toBeGreaterThan(3);
  expect(made.filter((timer) => timer.hasRef())).toEqual([]);
});
