import { connectFake, FakeSocket, openPage } from './stage.ts';

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function connectLive() {
  const page = openPage();
  const live = connectFake();
  FakeSocket.last.open();
  FakeSocket.last.say('@e:1 live\n');
  return { page, live };
}

const attempts = () => FakeSocket.made.length;

const WAKE_UPS = ['visibilitychange', 'resume', 'pageshow', 'online'];

describe.each(WAKE_UPS)('at %s', (name) => {
  test('a page that waits tries at once', () => {
    const { page, live } = connectLive();
    page.dispatch(name);
    expect(attempts()).toBe(1);
    FakeSocket.last.fail();
    expect(live.state).toBe('waiting');
    page.dispatch(name);
    expect([live.state, attempts()]).toEqual(['connecting', 2]);
    page.dispatch(name);
    jest.advanceTimersByTime(44_999);
    expect(attempts()).toBe(2);
  });

  test('a connection that was silent while the machine slept is dead', () => {
    const { page, live } = connectLive();
    // Timers stand still in a sleep, and the clock goes on.
    jest.setSystemTime(Date.now() + 44_000);
    page.dispatch(name);
    expect(live.state).toBe('live');
    jest.setSystemTime(Date.now() + 2000);
    page.dispatch(name);
    expect(FakeSocket.made[0]?.readyState).toBe(3);
    jest.advanceTimersByTime(0);
    FakeSocket.last.open();
    expect([attempts(), FakeSocket.last.sent]).toEqual([2, ['since e:1']]);
  });

  test('a hidden page keeps to its time', () => {
    const { page, live } = connectLive();
    page.document.hidden = true;
    FakeSocket.last.say('bye 5000\n');
    page.dispatch(name);
    jest.advanceTimersByTime(4999);
    expect([live.state, attempts()]).toEqual(['waiting', 1]);
    jest.advanceTimersByTime(1);
    expect([live.state, attempts()]).toEqual(['connecting', 2]);
  });

  test('a page that is looked at does not wait out a bye', () => {
    const { page } = connectLive();
    FakeSocket.last.say('bye 5000\n');
    page.dispatch(name);
    expect(attempts()).toBe(2);
  });

  test('a closed client does nothing', () => {
    const { page, live } = connectLive();
    FakeSocket.last.fail();
    live.close();
    page.dispatch(name);
    jest.advanceTimersByTime(120_000);
    expect([live.state, attempts()]).toEqual(['closed', 1]);
  });
});

test('a silent wire is not dead because it is silent', () => {
  const page = openPage();
  const live = connectFake();
  FakeSocket.last.open('binary');
  jest.setSystemTime(Date.now() + 86_400_000);
  page.dispatch('visibilitychange');
  expect([live.state, attempts()]).toEqual(['live', 1]);
});

test('a page that moves on within itself does not try for that', () => {
  const { page } = connectLive();
  FakeSocket.last.fail();
  page.dispatch('hashchange');
  page.dispatch('popstate');
  expect(attempts()).toBe(1);
});

describe('a hidden page', () => {
  test('waits up to the longest wait at once, and counts no failure', () => {
    const { page } = connectLive();
    page.document.hidden = true;
    FakeSocket.last.fail();
    jest.advanceTimersByTime(14_999);
    expect(attempts()).toBe(1);
    jest.advanceTimersByTime(1);
    expect(attempts()).toBe(2);
    page.document.hidden = false;
    FakeSocket.last.fail();
    jest.advanceTimersByTime(500);
    expect(attempts()).toBe(3);
  });

  test('opens its first connection without waiting', () => {
    openPage().document.hidden = true;
    connectFake();
    expect(attempts()).toBe(1);
  });
});

describe('an offline browser', () => {
  test('makes no attempts, and the next as soon as it is online', () => {
    const { page, live } = connectLive();
    page.navigator.onLine = false;
    FakeSocket.last.fail();
    page.dispatch('visibilitychange');
    jest.advanceTimersByTime(3_600_000);
    expect([live.state, attempts()]).toEqual(['waiting', 1]);
    page.navigator.onLine = true;
    page.dispatch('online');
    expect([live.state, attempts()]).toEqual(['connecting', 2]);
  });

  test('waits with its first connection too, and then refreshes all', () => {
    const page = openPage();
    page.navigator.onLine = false;
    const live = connectFake();
    const calls: unknown[] = [];
    live.on('*:/**', ({ replay }) => calls.push(replay));
    expect([live.state, attempts()]).toEqual(['waiting', 0]);
    page.navigator.onLine = true;
    page.dispatch('online');
    FakeSocket.last.open();
    FakeSocket.last.say('@e:1 live\n');
    expect([FakeSocket.last.sent, calls]).toEqual([['since -\n+*:/**'], ['resync']]);
  });

  test('can be left by a client that never connected', () => {
    openPage().navigator.onLine = false;
    const live = connectFake();
    live.close();
    expect([live.state, attempts(), jest.getTimerCount()]).toEqual(['closed', 0, 0]);
  });
});

describe('a page that is left', () => {
  test('closes its connection, and resumes when it is shown again', () => {
    const { page, live } = connectLive();
    page.dispatch('pagehide');
    expect([live.state, FakeSocket.last.readyState]).toEqual(['waiting', 3]);
    jest.advanceTimersByTime(10_000);
    expect(attempts()).toBe(1);
    page.dispatch('pageshow');
    FakeSocket.last.open();
    expect([live.state, FakeSocket.last.sent]).toEqual(['connecting', ['since e:1']]);
  });

  test('stays closed if it was', () => {
    const { page, live } = connectLive();
    live.close();
    page.dispatch('pagehide');
    page.dispatch('pageshow');
    expect([live.state, attempts(), jest.getTimerCount()]).toEqual(['closed', 1, 0]);
  });
});

test('live.close takes every listener off the page', () => {
  const { page, live } = connectLive();
  const signals = page.listen.mock.calls.map(([, , options]) => (options as { signal: AbortSignal }).signal);
  expect(signals.length).toBeGreaterThan(5);
  expect(signals.some(({ aborted }) => aborted)).toBe(false);
  live.close();
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
});
