import { Turns } from '../../lib/hub/turns.ts';

const SLICE_MS = 4;

function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** So many slices, one after the other. */
function takeAll(turns: Turns, slices: number): Promise<void> {
  return new Promise((resolve) => {
    let left = slices;
    const slice = () => {
      spin(SLICE_MS);
      if (--left > 0) turns.take(slice);
      else resolve();
    };
    turns.take(slice);
  });
}

/** An app that always has something to do. How many milliseconds it had, when it is told to end. */
function busyApp(): () => number {
  let had = 0;
  let busy = true;
  const turn = () => {
    const begunAt = performance.now();
    spin(SLICE_MS);
    had += performance.now() - begunAt;
    if (busy) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    busy = false;
    return had;
  };
}

afterEach(() => jest.restoreAllMocks());

test.each([
  [1 / 3, 2],
  [1 / 5, 4],
])(
  'of a loop that is busy a share of %d is taken, and the app has %i times as much',
  async (share, others) => {
    const end = busyApp();
    await takeAll(new Turns(share, SLICE_MS), 10);
    // The first two may follow each other, and after the last nothing is waited for.
    expect(end()).toBeGreaterThan(8 * SLICE_MS * others * 0.95);
  },
);

test('a share of 1 waits for nobody', async () => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  const end = busyApp();
  await takeAll(new Turns(1, SLICE_MS), 10);
  end();
  expect(timers).not.toHaveBeenCalled();
});

test('of a loop that rests all is taken, but for a look at it after each slice', async () => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  await takeAll(new Turns(1 / 10, SLICE_MS), 10);
  // Else there would be 36 for each.
  expect(timers.mock.calls.length).toBeLessThanOrEqual(20);
});

test('what is over soon is not kept waiting', async () => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  const turns = new Turns(1 / 3, 10 * SLICE_MS);
  const end = busyApp();
  await takeAll(turns, 9);
  end();
  expect(timers).not.toHaveBeenCalled();
});
