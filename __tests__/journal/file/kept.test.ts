import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { basename, join } from 'node:path';
import { rotate } from '../../../lib/journal/file/kept.ts';
import type { Journal } from '../../../lib/journal/journal.ts';
import { all, draft } from '../../contract/journal-contract.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { leaveState } from './leave-state.ts';
import { line, lines, opened, run } from './stage.ts';

let path: string;
beforeEach(() => {
  path = join(temporaryDirectory(), 'requests.jsonl');
});
afterEach(() => jest.restoreAllMocks());

const ROTATING = { rotateBytes: 100, keepFiles: 3 };
const offsets = async (journal: Journal) => (await all(journal)).map(({ offset }) => offset);
const countdown = (from: number, to = 1) => Array.from({ length: from - to + 1 }, (_, i) => from - i);
const kept = () =>
  readdirSync(join(path, '..'))
    .filter((name) => /jsonl([.-]\d+)?$/.test(name))
    .map((name) => name.slice(basename(path).length));

async function append(journal: Journal, count: number) {
  for (let i = 0; i < count; i++) {
    journal.append(draft(`POST:/a/${i}`));
    await journal.flush();
  }
}

describe('a journal that rotates', () => {
  test('has files of the given size, and as many older ones as it keeps', async () => {
    const { journal, sink } = await opened({ path, rotateBytes: 150, keepFiles: 2 });
    await append(journal, 12);
    expect(kept()).toEqual(['', '.1', '.2']);
    for (const name of kept()) expect(readFileSync(path + name, 'utf8').match(/\n/g)).toHaveLength(2);
    expect(await offsets(journal)).toEqual(countdown(12, 7));
    expect(sink.calls).toEqual(['reset', ...countdown(12).reverse()]);
    expect(sink.faults).toEqual([]);
  });

  test('cuts a burst into files of that size too', async () => {
    const { journal } = await opened({ path, rotateBytes: 2000, keepFiles: 100 });
    for (let i = 0; i < 500; i++) journal.append(draft('POST:/a'));
    await journal.flush();
    const sizes = kept().map((name) => readFileSync(path + name).length);
    expect(sizes.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(2500);
    expect(await offsets(journal)).toEqual(countdown(500));
  });

  test('puts an entry that is larger than a file into one of its own', async () => {
    const { journal } = await opened({ path, ...ROTATING });
    journal.append(draft('POST:/large', { data: 'x'.repeat(1000) }));
    await append(journal, 2);
    expect(kept()).toEqual(['', '.1', '.2']);
  });

  test('replays and goes on across its files after a restart', async () => {
    const first = await run({ path, ...ROTATING }, 'POST:/a', 'POST:/b', 'POST:/c');
    expect(kept()).toEqual(['', '.1', '.2']);
    const next = await run({ path, ...ROTATING }, 'POST:/d');
    expect(next.resets).toEqual([{ epoch: first.resets[0]?.epoch, offset: 0 }]);
    expect(next.topics).toEqual(['POST:/a', 'POST:/b', 'POST:/c', 'POST:/d']);
  });

  test('that was killed before its new file was there goes on', async () => {
    await run({ path, ...ROTATING }, 'POST:/a', 'POST:/b');
    renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    const next = await run({ path, ...ROTATING }, 'POST:/c');
    expect(next.calls).toEqual(['reset', 1, 2, 3]);
  });

  test('stays in its file where it cannot rename, says so once, and rotates when it can', async () => {
    mkdirSync(`${path}.1`);
    const { journal, sink } = await opened({ path, ...ROTATING });
    await append(journal, 10);
    expect(sink.codes).toEqual(['JOURNAL_ROTATE_FAILED']);
    expect(sink.faults[0]?.message).toContain('EISDIR');
    expect(await offsets(journal)).toEqual(countdown(10));
    rmSync(`${path}.1`, { recursive: true });
    await append(journal, 10);
    expect(kept()).toEqual(['', '.1', '.2', '.3']);
    expect(sink.codes).toEqual(['JOURNAL_ROTATE_FAILED']);
    expect(sink.calls).toEqual(['reset', ...countdown(20).reverse()]);
  });
});

describe('a journal whose directory cannot be listed just now', () => {
  test('renames nothing over what it keeps, and a query says so', async () => {
    const { journal, sink } = await opened({ path, ...ROTATING });
    await append(journal, 3);
    const error = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    const readdir = jest.spyOn(fs, 'readdir').mockRejectedValue(error);
    await append(journal, 3);
    expect(sink.codes).toEqual(['JOURNAL_ROTATE_FAILED']);
    await expect(offsets(journal)).rejects.toMatchObject({ code: 'JOURNAL_READ_FAILED', cause: error });
    readdir.mockRestore();
    expect(await offsets(journal)).toEqual(countdown(6));
  });
});

describe('rotating', () => {
  const there = (...names: string[]) => {
    for (const name of names) writeFileSync(path + name, name);
  };
  const found = () => Object.fromEntries(kept().map((name) => [name, readFileSync(path + name, 'utf8')]));

  test('moves each file on by one and removes the oldest', async () => {
    there('', '.1', '.2', '.3');
    await rotate(path, 3);
    expect(found()).toEqual({ '.1': '', '.2': '.1', '.3': '.2' });
  });

  test('moves files up to the first number that is free, and loses none', async () => {
    there('', '.1', '.3');
    await rotate(path, 3);
    expect(found()).toEqual({ '.1': '', '.2': '.1', '.3': '.3' });
  });

  test('removes what is beyond the number that is kept', async () => {
    there('', '.1', '.2', '.3', '.10', '-20261124');
    await rotate(path, 2);
    expect(found()).toEqual({ '.1': '', '.2': '.1', '-20261124': '-20261124' });
  });

  test('leaves other files alone', async () => {
    there('', '.1.gz', '.state', '.1x');
    await rotate(path, 1);
    expect(readdirSync(join(path, '..')).sort()).toEqual(
      ['.1', '.1.gz', '.1x', '.state'].map((name) => basename(path) + name),
    );
  });
});

describe('a query', () => {
  test('reads the numbered files, then the dated ones, newest first, past a hole in the numbers', async () => {
    writeFileSync(`${path}-20261101`, lines(1, 2));
    writeFileSync(`${path}-20261102`, lines(3, 4));
    writeFileSync(`${path}.12`, lines(5, 6));
    writeFileSync(`${path}.2`, lines(7, 8));
    writeFileSync(`${path}.1.gz`, 'no text');
    leaveState(path, { head: 8 });
    const { journal, sink } = await opened({ path }, 5);
    await append(journal, 1);
    expect(await offsets(journal)).toEqual(countdown(9));
    expect(sink.calls).toEqual(['reset', ...countdown(9, 4).reverse()]);
    expect(sink.faults).toEqual([]);
  });

  test.each([1, 5, 20])(
    'gives each entry once while the files rotate after each %i entries of it',
    async (step) => {
      const { journal } = await opened({ path, rotateBytes: 400, keepFiles: 1000 });
      await append(journal, 40);
      const seen: number[] = [];
      for await (const { offset } of journal.query()) {
        seen.push(offset);
        if (seen.length % step === 0) await append(journal, 7);
      }
      expect(seen).toEqual(countdown(40));
    },
  );

  test('gives each entry once while the file is copied and truncated', async () => {
    writeFileSync(
      path,
      Array.from({ length: 2000 }, (_, i) => line(i + 1, { data: 'x'.repeat(500) })).join(''),
    );
    leaveState(path, { head: 2000 });
    const { journal } = await opened({ path });
    const seen: number[] = [];
    for await (const { offset } of journal.query()) {
      if (seen.push(offset) !== 3) continue;
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
    }
    expect(seen).toEqual(countdown(2000));
  });

  test('skips what is corrupt in a kept file, and the torn end of one', async () => {
    writeFileSync(`${path}.1`, `${lines(1, 2)}nonsense\n${line(4)}{"epoch":"fi`);
    leaveState(path, { head: 4 });
    const { journal, sink } = await opened({ path });
    expect(sink.calls).toEqual(['reset', 4]);
    await append(journal, 1);
    expect(await offsets(journal)).toEqual([5, 4, 2, 1]);
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(`${path}.1`, 'utf8')).toMatch(/"fi$/);
  });
});

test('another epoch goes on from the highest offset in any file', async () => {
  writeFileSync(path, lines(1, 3));
  writeFileSync(`${path}.1`, lines(4, 9));
  const { sink } = await opened({ path });
  expect(sink.resets).toEqual([{ epoch: expect.not.stringMatching('first'), offset: 9 }]);
});
