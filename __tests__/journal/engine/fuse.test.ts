import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Fuse } from '../../../lib/journal/engine/fuse.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('what waits rejects when it blows, and so does what comes later', async () => {
  const fuse = new Fuse();
  const waiting = fuse.orBlown(new Promise(() => {}));
  fuse.blow(new Error('why'));
  fuse.blow(new Error('again'));
  await expect(waiting).rejects.toThrow('why');
  await expect(fuse.orBlown(Promise.resolve(1))).rejects.toThrow('why');
  expect(fuse.isBlown).toBe(true);
});

test('what is answered is what it was', async () => {
  const fuse = new Fuse();
  await expect(fuse.orBlown(Promise.resolve(1))).resolves.toBe(1);
  await expect(fuse.orBlown(Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(fuse.isBlown).toBe(false);
});

test('what was answered is not kept for as long as it holds', async () => {
  const fuse = new Fuse();
  const ask = async (times: number) => {
    for (let i = 0; i < times; i++) await fuse.orBlown(Promise.resolve(new Array(100)));
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await ask(1_000);
  expect((await ask(20_000)) - before).toBeLessThan(2_000_000);
});
