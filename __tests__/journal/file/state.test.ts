import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { STATE_BYTES } from '../../../lib/journal/file/state.ts';
import { all, draft } from '../../contract/journal-contract.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { editState, leaveState } from './leave-state.ts';
import { lines, opened, run } from './stage.ts';

const LONG_AGO = 10_000;
let path: string;
beforeEach(() => {
  path = join(temporaryDirectory(), 'requests.jsonl');
});
afterEach(() => jest.restoreAllMocks());

/** Where a start goes on. */
async function restart() {
  const sink = await run({ path });
  return { epoch: sink.resets[0]?.epoch, head: sink.entries.at(-1)?.offset ?? sink.resets[0]?.offset };
}

const GOES_ON = { epoch: 'first', head: 3 };
const BEGINS_ANEW = { epoch: expect.not.stringMatching('first'), head: 3 };

describe('the state', () => {
  test('is a file of one size beside the journal, for its owner only', async () => {
    const { journal } = await opened({ path });
    for (let i = 0; i < 3; i++) {
      journal.append(draft('POST:/a'));
      await journal.flush();
      expect(JSON.parse(readFileSync(`${path}.state`, 'utf8'))).toMatchObject({ head: i + 1, clean: false });
      expect(statSync(`${path}.state`)).toMatchObject({ size: STATE_BYTES });
    }
    expect(statSync(`${path}.state`).mode & 0o777).toBe(0o600);
    await journal.close();
    expect(JSON.parse(readFileSync(`${path}.state`, 'utf8'))).toMatchObject({ head: 3, clean: true });
    expect(readdirSync(join(path, '..'))).toEqual(['requests.jsonl', 'requests.jsonl.state']);
  });

  test('knows of an entry before anybody is told', async () => {
    const { journal, sink } = await opened({ path });
    const heads: unknown[] = [];
    sink.deliver = () => heads.push(JSON.parse(readFileSync(`${path}.state`, 'utf8')).head);
    journal.append(draft('POST:/a'));
    await journal.flush();
    journal.append(draft('POST:/a'));
    await journal.flush();
    expect(heads).toEqual([1, 2]);
  });

  test('lets a journal go on that has no entry yet', async () => {
    const first = await run({ path });
    expect((await run({ path })).resets).toEqual(first.resets);
  });

  test('lets an epoch go on that has no entry yet', async () => {
    writeFileSync(path, lines(1, 3));
    const first = await run({ path });
    expect(first.resets[0]).toEqual({ epoch: expect.not.stringMatching('first'), offset: 3 });
    expect((await run({ path })).resets).toEqual(first.resets);
  });
});

describe('after a crash', () => {
  beforeEach(() => writeFileSync(path, lines(1, 3)));

  test('the epoch goes on', async () => {
    leaveState(path, { head: 3 });
    expect(await restart()).toEqual(GOES_ON);
  });

  test('it goes on with entries that nobody had been told of', async () => {
    leaveState(path, { head: 2 });
    expect(await restart()).toEqual(GOES_ON);
  });

  test('of the machine another begins, for delivered entries may be missing', async () => {
    leaveState(path, { head: 3, boot: 'another' });
    expect(await restart()).toEqual(BEGINS_ANEW);
  });

  test('of the machine it goes on if each entry was on the disk', async () => {
    leaveState(path, { head: 3, boot: 'another', synced: true });
    expect(await restart()).toEqual(GOES_ON);
  });

  test('of the machine it goes on although the disk has an older state', async () => {
    leaveState(path, { head: 1, boot: 'another', synced: true, at: Date.now() - LONG_AGO });
    expect(await restart()).toEqual(GOES_ON);
  });
});

describe('another epoch begins', () => {
  beforeEach(() => {
    writeFileSync(path, lines(1, 3));
    leaveState(path, { head: 3 });
  });

  test('without a state', async () => {
    rmSync(`${path}.state`);
    expect(await restart()).toEqual(BEGINS_ANEW);
  });

  test.each([
    '',
    'x'.repeat(STATE_BYTES),
    ' '.repeat(STATE_BYTES),
    '\0'.repeat(STATE_BYTES),
    '{}'.padEnd(STATE_BYTES),
  ])('with a state that is %j', async (text) => {
    writeFileSync(`${path}.state`, text);
    expect(await restart()).toEqual(BEGINS_ANEW);
  });

  test('when the file is shorter, and offsets go on from where they were', async () => {
    writeFileSync(path, lines(1, 2));
    expect(await restart()).toEqual(BEGINS_ANEW);
    writeFileSync(path, lines(1, 2));
    expect((await restart()).head).toBe(3);
  });

  test('when the file is gone', async () => {
    rmSync(path);
    expect(await restart()).toEqual(BEGINS_ANEW);
  });

  test('when the file is that of another epoch', async () => {
    writeFileSync(path, lines(1, 3, 'zeroth'));
    expect(await restart()).toEqual(BEGINS_ANEW);
  });
});

describe('a copy of journal and state that is put back', () => {
  const FILES = ['', '.state'];
  const copy = (from: string, to: string) => {
    for (const name of FILES) copyFileSync(from + name, to + name);
  };
  let backup: string;
  beforeEach(async () => {
    backup = join(temporaryDirectory(), 'backup');
    writeFileSync(path, lines(1, 3));
    leaveState(path, { head: 3 });
  });

  test.each(['in new files', 'in the same files', 'in the same files, times too'])(
    'after a clean stop, %s, begins another epoch',
    async (how) => {
      await run({ path });
      copy(path, backup);
      await run({ path }, 'POST:/forgotten');
      const { atime, mtime } = statSync(`${backup}.state`);
      if (how === 'in new files') for (const name of FILES) rmSync(path + name);
      copy(backup, path);
      if (how.endsWith('too')) for (const name of FILES) utimesSync(path + name, atime, mtime);
      expect(await restart()).toEqual(BEGINS_ANEW);
    },
  );

  test.each(['in new files', 'in the same files', 'in the same files, times too'])(
    'after it was made while running, %s, begins another epoch',
    async (how) => {
      editState(path, { at: Date.now() - LONG_AGO });
      copy(path, backup);
      writeFileSync(path, lines(1, 4));
      if (how === 'in new files') for (const name of FILES) rmSync(path + name);
      copy(backup, path);
      const then = new Date(Date.now() - LONG_AGO);
      if (how.endsWith('too')) for (const name of FILES) utimesSync(path + name, then, then);
      expect(await restart()).toEqual(BEGINS_ANEW);
    },
  );

  test('of the journal alone begins another epoch', async () => {
    await run({ path });
    copyFileSync(path, backup);
    await run({ path }, 'POST:/forgotten');
    copyFileSync(backup, path);
    const { epoch, head } = await restart();
    expect(epoch).not.toBe('first');
    expect(head).toBe(4);
  });
});

describe('after a clean stop', () => {
  beforeEach(async () => {
    writeFileSync(path, lines(1, 3));
    leaveState(path, { head: 3 });
    await run({ path });
  });

  test('the epoch goes on, also after the machine was started anew', async () => {
    editState(path, { boot: 'another', at: Date.now() - LONG_AGO });
    expect(await restart()).toEqual(GOES_ON);
  });

  test('a change of owner or permissions is harmless', async () => {
    editState(path, { at: Date.now() - LONG_AGO });
    for (const name of [path, `${path}.state`]) {
      chmodSync(name, 0o640);
      if (process.getuid?.() === 0) chownSync(name, 0, 12345);
    }
    expect(await restart()).toEqual(GOES_ON);
  });

  test('a file that was renamed is still the history', async () => {
    renameSync(path, `${path}.1`);
    const sink = await run({ path }, 'POST:/next');
    expect(sink.resets[0]).toEqual({ epoch: 'first', offset: 0 });
    expect(sink.calls).toEqual(['reset', 1, 2, 3, 4]);
  });

  test('a file that was copied and truncated is still the history', async () => {
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    const sink = await run({ path }, 'POST:/next');
    expect(sink.resets[0]).toEqual({ epoch: 'first', offset: 0 });
    expect(sink.calls).toEqual(['reset', 1, 2, 3, 4]);
  });

  test('the state does not vouch for a run that syncs nothing, should a crash bring it back', async () => {
    await run({ path, fsync: 'always' });
    editState(path, { clean: false, at: Date.now() });
    linkSync(`${path}.state`, `${path}.old`);
    await opened({ path });
    expect(JSON.parse(readFileSync(`${path}.old`, 'utf8'))).toMatchObject({ head: 3, synced: false });
  });

  test('the state is not a clean one any more as soon as the next run has begun, should a crash bring it back', async () => {
    linkSync(`${path}.state`, `${path}.old`);
    await opened({ path });
    expect(JSON.parse(readFileSync(`${path}.old`, 'utf8'))).toMatchObject({ head: 3, clean: false });
    expect(JSON.parse(readFileSync(`${path}.state`, 'utf8'))).toMatchObject({ head: 3, clean: false });
  });
});

describe('entries that were lost because the disk took no more', () => {
  test('begin another epoch at the next start, for their changes were told to nobody', async () => {
    writeFileSync(path, lines(1, 3));
    leaveState(path, { head: 3 });
    const { journal, sink } = await opened({ path });
    const handle = await open(path);
    await handle.close();
    const write = jest.spyOn(Object.getPrototypeOf(handle), 'write').mockRejectedValue(new Error('ENOSPC'));
    journal.append(draft('POST:/lost'));
    await journal.close();
    write.mockRestore();
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED', 'JOURNAL_WRITE_FAILED']);
    expect(await restart()).toEqual(BEGINS_ANEW);
  });
});

describe('a state that cannot be written', () => {
  test('from the start on is told once, and the journal works', async () => {
    mkdirSync(`${path}.state`);
    const { journal, sink } = await opened({ path });
    for (const topic of ['POST:/a', 'POST:/b']) {
      journal.append(draft(topic));
      await journal.flush();
    }
    await journal.close();
    expect(sink.codes).toEqual(['JOURNAL_STATE_FAILED']);
    expect(sink.faults[0]?.message).toContain('after a restart clients are told to refresh all');
    expect(sink.calls).toEqual(['reset', 1, 2]);
    const next = await run({ path });
    expect(next.resets).toEqual([
      { epoch: expect.not.stringMatching(sink.resets[0]?.epoch as string), offset: 2 },
    ]);
  });

  test('in the place of one that says the epoch may go on, begins another', async () => {
    writeFileSync(path, lines(1, 3));
    leaveState(path, { head: 3 });
    mkdirSync(`${path}.state~`);
    const sink = await run({ path });
    expect(sink.codes).toEqual(['JOURNAL_STATE_FAILED']);
    expect(sink.resets).toEqual([{ epoch: expect.not.stringMatching('first'), offset: 3 }]);
  });

  test('while running is told once, is taken away, and stops nothing', async () => {
    const { journal, sink } = await opened({ path });
    const handle = await open(path);
    await handle.close();
    const prototype = Object.getPrototypeOf(handle);
    const write = prototype.write;
    const spy = jest.spyOn(prototype, 'write').mockImplementation(function (
      this: unknown,
      ...args: unknown[]
    ) {
      if ((args[0] as Buffer).length === STATE_BYTES) return Promise.reject(new Error('EIO'));
      return write.apply(this, args);
    });
    for (let i = 0; i < 3; i++) {
      journal.append(draft(`POST:/a/${i}`));
      await journal.flush();
      expect(existsSync(`${path}.state`)).toBe(false);
    }
    expect(sink.codes).toEqual(['JOURNAL_STATE_FAILED']);
    expect(sink.calls).toEqual(['reset', 1, 2, 3]);
    spy.mockRestore();
    await journal.close();
    expect((await run({ path })).resets[0]).toEqual({ epoch: sink.resets[0]?.epoch, offset: 0 });
    expect(await all(journal)).toHaveLength(3);
  });
});
