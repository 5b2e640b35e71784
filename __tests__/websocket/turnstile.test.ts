import { Turnstile } from '../../lib/websocket/turnstile.ts';
import { afterwards } from '../support/server.ts';

/** Who is in, in that order. */
function gate() {
  // The clock alone: turns of the loop are what this is about.
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'queueMicrotask'] });
  afterwards(() => jest.useRealTimers());
  const inside: number[] = [];
  const turnstile = new Turnstile<number>((i) => inside.push(i));
  let came = 0;
  return {
    inside,
    come: (count: number) => {
      for (let i = 0; i < count; i++) turnstile.pass(came++);
    },
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

test('one that comes alone is in at once', () => {
  const { inside, come } = gate();
  come(1);
  expect(inside).toEqual([0]);
});

test('many that come together are in by and by, in their order', async () => {
  const { inside, come, turn } = gate();
  come(100);
  const counts = [];
  while (inside.length < 100) {
    await turn();
    counts.push(inside.length);
  }
  expect(counts.length).toBeGreaterThan(3);
  expect(inside).toEqual([...Array(100).keys()]);
});

test('those who wait are let in after those who still arrive, but do not wait for ever', async () => {
  const { inside, come, turn } = gate();
  come(10);
  for (let i = 0; i < 5; i++) {
    come(1);
    await turn();
  }
  expect(inside).toEqual([0]);
  jest.advanceTimersByTime(1000);
  come(1);
  await turn();
  expect(inside.length).toBeGreaterThan(10);
});
