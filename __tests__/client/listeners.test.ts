import { compilePattern } from '../../lib/protocol/pattern.ts';
import { connectFake, FakeSocket, setGlobal } from './stage.ts';

function connectLive() {
  const live = connectFake();
  FakeSocket.last.open();
  FakeSocket.last.say('@e:0 live\n');
  return { live, announce: (...topics: string[]) => FakeSocket.last.say(`${topics.join('\n')}\n@e:1\n`) };
}

describe('live.on', () => {
  test('calls the same function on one pattern once, until each undo is done', () => {
    const { live, announce } = connectLive();
    const listener = jest.fn();
    const undos = [live.on('POST:/a', listener), live.on('POST:/a', listener)];
    announce('POST:/a');
    expect(listener).toHaveBeenCalledTimes(1);
    undos[0]?.();
    undos[0]?.();
    announce('POST:/a');
    expect(listener).toHaveBeenCalledTimes(2);
    undos[1]?.();
    announce('POST:/a');
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test('is safe while listeners are being called', () => {
    const { live, announce } = connectLive();
    const calls: string[] = [];
    const offFirst = live.on('POST:/a', () => {
      calls.push('first');
      offFirst();
      offLast();
      live.on('POST:/a', () => calls.push('new'));
    });
    live.on('*:/**', () => calls.push('middle'));
    const offLast = live.on('POST:/a', () => calls.push('last'));
    announce('POST:/a');
    expect(calls).toEqual(['first', 'middle']);
    announce('POST:/a');
    expect(calls).toEqual(['first', 'middle', 'middle', 'new']);
  });

  test('calls nobody after a listener closed it', () => {
    const { live, announce } = connectLive();
    const later = jest.fn();
    live.on('POST:/a', () => live.close());
    live.on('*:/**', later);
    announce('POST:/a', 'POST:/b');
    expect(later).not.toHaveBeenCalled();
  });

  test('throws later what a listener throws, as uncaught, and goes on', () => {
    const throwers: Array<() => void> = [];
    setGlobal('queueMicrotask', (thrower: () => void) => throwers.push(thrower));
    const { live, announce } = connectLive();
    const other = jest.fn();
    live.on('POST:/a', () => {
      throw new Error('of the page');
    });
    live.on('POST:/a', other);
    throwers.length = 0;
    announce('POST:/a');
    expect(throwers).toEqual([expect.any(Function)]);
    expect(throwers[0]).toThrow('of the page');
    expect(other).toHaveBeenCalledTimes(1);
    expect(live.position?.offset).toBe(1);
  });

  test('ends with its signal', async () => {
    const { live, announce } = connectLive();
    const listener = jest.fn();
    const aborter = new AbortController();
    live.on('POST:/a', listener, { signal: aborter.signal });
    await null;
    announce('POST:/a');
    aborter.abort();
    await null;
    announce('POST:/a');
    live.on('POST:/a', listener, { signal: aborter.signal })();
    announce('POST:/a');
    expect(listener).toHaveBeenCalledTimes(1);
    expect(FakeSocket.last.sent).toEqual(['since -', 'since e:0\n+POST:/a', 'since e:1']);
  });

  test.each([
    'POST:/a',
    '*:/**',
    '*:/*/b/*',
    'M-SEARCH2:/ä/日本',
    'POST:/',
    'POST:/a//b',
    '*',
    '**',
    'POST:/a*',
    'POST:/**/a',
    'POST:/***',
    'P*:/a',
    'POST:a',
    'POST:',
    'post:/a',
    'POST:/a b',
    'POST:/a\n+*:/**',
    '',
  ])('takes %j if and only if the server does', (pattern) => {
    const { live } = connectLive();
    const refused = (act: () => unknown) => {
      try {
        act();
        return false;
      } catch {
        return true;
      }
    };
    expect(refused(() => live.on(pattern, () => {}))).toBe(refused(() => compilePattern(pattern)));
  });
});
