import type { Notification } from '../../lib/client/index.ts';
import { connectFake, FakeSocket } from './stage.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask'] });
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

const say = (lines: string) => FakeSocket.last.say(lines);

/** A live client whose calls are written down. */
function connectLive() {
  const live = connectFake();
  const calls: string[] = [];
  const note = (name: string) => (notification?: Notification) =>
    calls.push(`${name} ${notification?.replay ?? notification?.topic}`);
  live.on('*:/**', note('all'));
  live.on('resync', () => calls.push('page'));
  FakeSocket.last.open();
  say('@e:1 live\n');
  return { live, calls, note };
}

const TOLD = ['all resync', 'page'];

describe('a resync over some milliseconds', () => {
  test('reaches all listeners together after a random part of them, while the state is live at once', () => {
    const { live, calls } = connectLive();
    say('@f:3 resync 500\n');
    expect([live.state, live.position]).toEqual(['live', { epoch: 'f', offset: 3 }]);
    jest.advanceTimersByTime(249);
    expect(calls).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(calls).toEqual(TOLD);
    jest.advanceTimersByTime(60_000);
    expect(calls).toEqual(TOLD);
  });

  test.each(['@f:3 resync\n', '@f:3 resync 0\n'])('that are none is told at once: %j', (line) => {
    const { calls } = connectLive();
    say(line);
    expect(calls).toEqual(TOLD);
  });

  test('lets notifications through meanwhile', () => {
    const { calls } = connectLive();
    say('@f:3 resync 500\n');
    say('POST:/a\n@f:4\n');
    expect(calls).toEqual(['all POST:/a']);
    jest.advanceTimersByTime(250);
    expect(calls).toEqual(['all POST:/a', ...TOLD]);
  });

  test('is told once when another comes meanwhile, at the time of the first', () => {
    const { calls } = connectLive();
    say('@f:3 resync 500\n');
    jest.advanceTimersByTime(200);
    say('@g:3 resync 500\n');
    jest.advanceTimersByTime(50);
    expect(calls).toEqual(TOLD);
    jest.advanceTimersByTime(30_000);
    expect(calls).toEqual(TOLD);
    say('@h:3 resync 500\n');
    jest.advanceTimersByTime(250);
    expect(calls).toEqual([...TOLD, ...TOLD]);
  });

  test('is told at once when another one is to be', () => {
    const { calls } = connectLive();
    say('@f:3 resync 500\n');
    say('@g:3 resync\n');
    expect(calls).toEqual(TOLD);
    jest.advanceTimersByTime(60_000);
    expect(calls).toEqual(TOLD);
  });

  test('concerns those who listen when it is told', () => {
    const { live, calls, note } = connectLive();
    const off = live.on('POST:/early', note('early'));
    say('@f:3 resync 500\n');
    off();
    live.on('POST:/late', note('late'));
    live.on('POST:/late', note('deaf'), { replay: false });
    jest.advanceTimersByTime(250);
    expect(calls).toEqual([...TOLD, 'late resync']);
  });

  test('is not told after close, and leaves no timer', () => {
    const { live, calls } = connectLive();
    say('@f:3 resync 500\n');
    say('@g:3 resync 500\n');
    live.close();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(60_000);
    expect(calls).toEqual([]);
  });

  test('survives a connection that is lost and back in time', () => {
    const { calls } = connectLive();
    say('@f:3 resync 60000\n');
    FakeSocket.last.fail();
    jest.advanceTimersByTime(500);
    FakeSocket.last.open();
    say('@f:3 replayed\n');
    say('POST:/a\n@f:4\n');
    expect(calls).toEqual(['all POST:/a']);
    jest.advanceTimersByTime(29_500);
    expect(calls).toEqual(['all POST:/a', ...TOLD]);
  });

  test('that ran out without a connection is told with the next one', () => {
    const { live, calls } = connectLive();
    say('@f:3 resync 500\n');
    FakeSocket.last.fail();
    jest.advanceTimersByTime(500);
    expect([live.state, calls]).toEqual(['connecting', []]);
    FakeSocket.last.open();
    say('@f:3 replayed\n');
    expect(calls).toEqual(TOLD);
    say('POST:/a\n@f:4\n');
    expect(calls).toEqual([...TOLD, 'all POST:/a']);
  });

  test('takes the place of changed where both are owed', () => {
    const { calls } = connectLive();
    say('@f:3 resync 500\n');
    FakeSocket.last.fail();
    jest.advanceTimersByTime(500);
    FakeSocket.last.open();
    say('@f:9 changed\nPOST:/a\n@f:9\n');
    expect(calls).toEqual(TOLD);
  });
});
