import { Turns } from '../../lib/hub/turns.ts';

const SLICE_MS = 4;
const TURN_MS = 0.5;

/** A clock that moves when somebody works. */
let now: number;
let timers: { at: number; act: () => void }[];
beforeEach(() => {
  now = 0;
  timers = [];
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  jest
    .spyOn(globalThis, 'setTimeout')
    .mockImplementation(((act: () => void, ms: number) =>
      timers.push({ at: now + ms, act })) as unknown as typeof setTimeout);
});
afterEach(() => jest.restoreAllMocks());

/** So many slices, one after the other, beside an app that always has something to do: how many milliseconds it had. */
function takeAll(turns: Turns, slices: number): Promise<number> {
  return new Promise((resolve) => {
    let left = slices;
    let had = 0;
    const slice = () => {
      now += SLICE_MS;
      if (--left > 0) turns.take(slice);
    };
    const turn = () => {
      now += TURN_MS;
      had += TURN_MS;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { act } of due) act();
      if (left > 0) setImmediate(turn);
      else resolve(had);
    };
    turns.take(slice);
    setImmediate(turn);
  });
}

test.each([
  [1 / 2, 1],
  [1 / 3, 2],
  [1 / 5, 4],
])('a share of %d leaves the app %i times as much', async (share, others) => {
  const had = await takeAll(new Turns(share, SLICE_MS), 100);
  expect(had / (100 * SLICE_MS)).toBeGreaterThan(others * 0.95);
  expect(had / (100 * SLICE_MS)).toBeLessThan(others * 1.2 + 0.2);
});

test('a share of 1 waits for nobody', async () => {
  await takeAll(new Turns(1, SLICE_MS), 10);
  expect(setTimeout).not.toHaveBeenCalled();
});

test('what is over soon is not kept waiting', async () => {
  await takeAll(new Turns(1 / 3, 10 * SLICE_MS), 9);
  expect(setTimeout).not.toHaveBeenCalled();
});
