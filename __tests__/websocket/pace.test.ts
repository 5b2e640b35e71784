import { Pace } from '../../lib/websocket/pace.ts';
import { afterwards } from '../support/server.ts';

test('a pace is counted over ten seconds, then anew', () => {
  jest.useFakeTimers();
  afterwards(() => jest.useRealTimers());
  const pace = new Pace(0.2);
  const exceeded = (messages: number) => Array.from({ length: messages }, () => pace.exceeded());
  jest.advanceTimersByTime(100_000);
  expect(exceeded(3)).toEqual([false, false, true]);
  jest.advanceTimersByTime(9_000);
  expect(exceeded(1)).toEqual([true]);
  jest.advanceTimersByTime(1_001);
  expect(exceeded(3)).toEqual([false, false, true]);
});
