import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileJournal } from '../../../lib/journal/file/file-journal.ts';
import type { Journal } from '../../../lib/journal/journal.ts';
import { all, draft, Recorder } from '../../contract/journal-contract.ts';
import { until } from '../../support/server.ts';
import { leaveState } from './leave-state.ts';

let directory: string;
let path: string;
const journals: Journal[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'reqcast-'));
  path = join(directory, 'requests.jsonl');
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(journals.splice(0).map((journal) => journal.close()));
  rmSync(directory, { recursive: true });
});

async function start(history = 100) {
  const journal = fileJournal({ path });
  journals.push(journal);
  const sink = new Recorder();
  await journal.open(sink, history);
  return { journal, sink };
}

/** A run that appends these topics and ends. */
async function run(...topics: string[]) {
  const { journal, sink } = await start();
  for (const topic of topics) journal.append(draft(topic));
  await journal.close();
  return sink;
}

const line = (offset: number, rest: object = {}, epoch = 'first') =>
  `${JSON.stringify({ epoch, offset, time: 1000, topic: `POST:/a/${offset}`, ...rest })}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => line(from + i)).join('');
const fail = (code: string) => Object.assign(new Error(code), { code });

async function fileHandlePrototype(): Promise<FileHandle> {
  const handle = await open(directory);
  await handle.close();
  return Object.getPrototypeOf(handle);
}

/** The next write takes ten bytes, the one after it fails. */
function failAfterTenBytes(prototype: FileHandle, code: string) {
  const write: (this: FileHandle, buffer: Buffer, from: number, length: number) => unknown = prototype.write;
  const spy = jest.spyOn(prototype, 'write') as unknown as jest.SpyInstance;
  spy.mockImplementationOnce(function (this: FileHandle, buffer: Buffer) {
    return write.call(this, buffer, 0, 10);
  });
  spy.mockRejectedValueOnce(fail(code));
}

describe('fileJournal', () => {
  test.each([
    [undefined, 'path is undefined; it must be the path of a file'],
    [{ path: '' }, 'path is ""'],
    [{ path: 7 }, 'path is 7'],
    [{ path: 'a', fsync: 'often' }, 'fsync is "often"; it must be "never" or "always"'],
    [{ path: 'a', rotateBytes: 0 }, 'rotateBytes is 0; it must be a number of bytes, 1 or more'],
    [{ path: 'a', rotateBytes: '1 MB' }, 'rotateBytes is "1 MB"'],
    [{ path: 'a', keepFiles: 0 }, 'keepFiles is 0; it must be a number of files, 1 or more'],
    [{ path: 'a', keepFiles: 1.5 }, 'keepFiles is 1.5'],
  ])('refuses %j', (options, message) => {
    const call = () => fileJournal(options as unknown as { path: string });
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    expect(call).toThrow(message);
  });
});

describe('the file', () => {
  test('is for its owner only', async () => {
    await run('POST:/a');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('has self-contained lines that begin with epoch and offset', async () => {
    const sink = await run('POST:/a', 'POST:/b');
    const epoch = sink.resets[0]?.epoch;
    expect(readFileSync(path, 'utf8')).toBe(
      `{"epoch":"${epoch}","offset":1,"time":1000,"topic":"POST:/a"}\n` +
        `{"epoch":"${epoch}","offset":2,"time":1000,"topic":"POST:/b"}\n`,
    );
  });

  test('must be in a directory that exists', async () => {
    path = join(directory, 'missing', 'requests.jsonl');
    const error = await start().catch((reason) => reason);
    expect(error).toMatchObject({ code: 'JOURNAL_OPEN_FAILED', cause: { code: 'ENOENT' } });
    expect(error.message).toContain(path);
    expect(error.message).toContain('in a directory that exists');
  });

  test('is no directory', async () => {
    path = directory;
    await expect(start()).rejects.toMatchObject({ code: 'JOURNAL_OPEN_FAILED', cause: { code: 'EISDIR' } });
  });

  test.each(['{"name":"app"}', '{"name":"app"}\n', 'notes\n'])(
    'that holds %j is refused and left alone',
    async (text) => {
      writeFileSync(path, text);
      await expect(start()).rejects.toThrow(/holds something else/);
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );

  test('that could not be opened takes entries, flushes and closes all the same', async () => {
    const journal = fileJournal({ path: directory });
    journal.append(draft('POST:/a'));
    const flushed = journal.flush();
    await expect(journal.open(new Recorder(), 1)).rejects.toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
    await flushed;
    journal.append(draft('POST:/b'));
    await journal.flush();
    await journal.close();
  });
});

describe('after a restart', () => {
  test('epoch and offsets go on, and the newest entries are handed over', async () => {
    const first = await run('POST:/a', 'POST:/b', 'POST:/c');
    const { journal, sink } = await start(2);
    journal.append(draft('POST:/d'));
    await journal.flush();
    expect(sink.resets).toEqual([{ epoch: first.resets[0]?.epoch, offset: 1 }]);
    expect(sink.calls).toEqual(['reset', 2, 3, 4]);
    expect(sink.topics).toEqual(['POST:/b', 'POST:/c', 'POST:/d']);
    expect(sink.faults).toEqual([]);
  });

  test('no history is handed over when none is asked for', async () => {
    writeFileSync(path, lines(1, 5));
    leaveState(path, { head: 5 });
    const { sink } = await start(0);
    expect(sink.resets).toEqual([{ epoch: 'first', offset: 5 }]);
    expect(sink.entries).toEqual([]);
  });

  test('the history ends where the epoch began', async () => {
    writeFileSync(path, line(1, {}, 'old') + line(2, {}, 'old') + line(3) + line(4));
    leaveState(path, { start: 2, head: 4 });
    const { journal, sink } = await start();
    expect(sink.resets).toEqual([{ epoch: 'first', offset: 2 }]);
    expect(sink.calls).toEqual(['reset', 3, 4]);
    expect(await all(journal)).toHaveLength(4);
  });

  test('the history ends at a missing offset', async () => {
    writeFileSync(path, line(1) + line(2) + line(4) + line(5));
    leaveState(path, { head: 5 });
    const { sink } = await start();
    expect(sink.resets).toEqual([{ epoch: 'first', offset: 3 }]);
  });
});

describe('a damaged file', () => {
  test.each(['{"epoch":"first","offset":3,"ti', '{', line(3).trimEnd()])(
    'that ends with %j loses that and goes on',
    async (torn) => {
      writeFileSync(path, lines(1, 2) + torn);
      leaveState(path, { head: 2 });
      const { journal, sink } = await start();
      expect(sink.codes).toEqual(['JOURNAL_CORRUPT']);
      expect(sink.faults[0]?.message).toContain(path);
      expect(readFileSync(path, 'utf8')).toBe(lines(1, 2));
      journal.append(draft('POST:/new'));
      await journal.flush();
      expect(sink.resets).toEqual([{ epoch: 'first', offset: 0 }]);
      expect(sink.calls).toEqual(['reset', 1, 2, 3]);
      expect((await all(journal)).map(({ topic }) => topic)).toEqual(['POST:/new', 'POST:/a/2', 'POST:/a/1']);
    },
  );

  test('that is one torn line begins anew', async () => {
    writeFileSync(path, '{"epoch":"fir');
    const { sink } = await start();
    expect(sink.resets).toEqual([{ epoch: expect.not.stringMatching('first'), offset: 0 }]);
    expect(statSync(path).size).toBe(0);
  });

  const FOREIGN = [
    '\0\0\0\0',
    'garbage\n',
    '{"epoch":"first","off\0\0',
    '{"epoch":"first","offset":0,"time":1}\n',
  ];

  test.each(FOREIGN)('that ends with %j in the place of an entry begins a new epoch', async (damage) => {
    writeFileSync(path, lines(1, 2) + damage);
    leaveState(path, { head: 3 });
    const { journal, sink } = await start();
    expect(sink.codes).toEqual(['JOURNAL_CORRUPT']);
    expect(sink.resets).toEqual([{ epoch: expect.not.stringMatching('first'), offset: 3 }]);
    await journal.close();
    expect((await run('POST:/new')).resets).toEqual(sink.resets);
    const entries = await all(journal);
    expect(entries.map(({ offset }) => offset)).toEqual([4, 2, 1]);
  });

  test.each(FOREIGN)('that ends with %j after the last entry goes on', async (damage) => {
    writeFileSync(path, lines(1, 2) + damage);
    leaveState(path, { head: 2 });
    const sink = await run('POST:/new');
    expect(sink.codes).toEqual(['JOURNAL_CORRUPT']);
    expect(sink.resets[0]?.epoch).toBe('first');
    expect(sink.entries.at(-1)?.offset).toBe(3);
  });

  test('with a corrupt line in the middle hands over what follows it, and reports it once for each read', async () => {
    writeFileSync(path, `${lines(1, 2)}{"epoch":"first","offset":3\n\nnonsense\n${lines(5, 6)}`);
    leaveState(path, { head: 6 });
    const { journal, sink } = await start();
    expect(sink.resets).toEqual([{ epoch: 'first', offset: 4 }]);
    expect(sink.calls).toEqual(['reset', 5, 6]);
    expect(sink.codes).toEqual(['JOURNAL_CORRUPT']);
    expect((await all(journal)).map(({ offset }) => offset)).toEqual([6, 5, 2, 1]);
    expect(sink.codes).toEqual(['JOURNAL_CORRUPT', 'JOURNAL_CORRUPT']);
  });

  test.each([
    '[]',
    'null',
    '7',
    '{"epoch":"a b","offset":3,"time":1}',
    '{"epoch":"first","offset":3}',
    '{"epoch":"first","offset":3,"time":1,"audience":"root"}',
    '{"epoch":"first","offset":3,"time":1,"audience":["root",7]}',
    '{"epoch":"first","offset":3,"time":1,"topic":7}',
    '{"epoch":"first","offset":3,"time":1,"topic":"POST:/a\\n@first:9 resync"}',
    '{"epoch":"first","offset":3,"time":1,"topic":"POST:/a//EOM//"}',
    '{"epoch":"first","offset":3,"time":1,"client":7}',
    '{"epoch":"first","offset":3,"time":1,"client":""}',
    '{"epoch":"first","offset":3,"time":1,"client":"FmhxZ1O/UvcCaen cqxsRv"}',
    '{"epoch":"first","offset":3,"time":1,"client":"FmhxZ1O/UvcC\\nPOST:/b"}',
    '{"epoch":"first","offset":3,"time":1,"request":{"id":"a","method":"","url":"","message":"","topic":7}}',
    '{"epoch":"first","offset":3,"time":1,"request":{"id":"a"}}',
  ])('may hold %s, which is no entry', async (text) => {
    writeFileSync(path, `${lines(1, 2)}${text}\n${line(4)}`);
    const { journal } = await start();
    expect((await all(journal, { url: 'x' })).length).toBe(0);
    expect((await all(journal)).map(({ offset }) => offset)).toEqual([4, 2, 1]);
  });

  test('may hold a line longer than any entry, which is skipped', async () => {
    writeFileSync(path, `${lines(1, 2)}${'x'.repeat(9 * 1024 * 1024)}\n${line(4)}`);
    leaveState(path, { head: 4 });
    const { journal, sink } = await start();
    expect(sink.calls).toEqual(['reset', 4]);
    expect((await all(journal)).map(({ offset }) => offset)).toEqual([4, 2, 1]);
  });
});

describe('a file that is taken away', () => {
  test('by a rename is followed by a new one, in the same epoch', async () => {
    const { journal, sink } = await start();
    journal.append(draft('POST:/a'));
    await journal.flush();
    renameSync(path, `${path}.1`);
    expect(await all(journal)).toHaveLength(1);
    journal.append(draft('POST:/b'));
    await journal.flush();
    expect(readFileSync(`${path}.1`, 'utf8')).toContain('POST:/a');
    expect(readFileSync(path, 'utf8')).toContain('"offset":2');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(sink.calls).toEqual(['reset', 1, 2]);
    await journal.close();
    expect((await run()).calls).toEqual(['reset', 1, 2]);
  });

  test('and replaced by one without an end gets a line of its own', async () => {
    const { journal } = await start();
    unlinkSync(path);
    writeFileSync(path, 'no newline');
    journal.append(draft('POST:/a'));
    await journal.flush();
    expect(readFileSync(path, 'utf8')).toMatch(/^no newline\n\{"epoch"/);
  });

  test('by truncation is written from its beginning', async () => {
    const { journal } = await start();
    journal.append(draft('POST:/a'));
    await journal.flush();
    truncateSync(path);
    journal.append(draft('POST:/b'));
    await journal.flush();
    expect(readFileSync(path, 'utf8')).toMatch(/^\{"epoch":"[\w-]+","offset":2,[^\n]+\n$/);
  });

  test('in the middle of a line costs that line, and no other one', async () => {
    const { journal } = await start();
    for (const topic of ['POST:/a', 'POST:/b']) journal.append(draft(topic));
    await journal.flush();
    truncateSync(path, statSync(path).size - 5);
    journal.append(draft('POST:/c'));
    await journal.flush();
    expect((await all(journal)).map(({ offset }) => offset)).toEqual([3, 1]);
  });

  test('with its directory is reported once, and written when the directory is back', async () => {
    const home = join(directory, 'home');
    mkdirSync(home);
    path = join(home, 'requests.jsonl');
    const { journal, sink } = await start();
    rmSync(home, { recursive: true });
    journal.append(draft('POST:/a'));
    await journal.flush();
    journal.append(draft('POST:/b'));
    await journal.flush();
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
    expect(sink.entries).toEqual([]);
    mkdirSync(home);
    await until(() => sink.entries.length === 2);
    expect(sink.calls).toEqual(['reset', 1, 2]);
    rmSync(home, { recursive: true });
    journal.append(draft('POST:/c'));
    await journal.flush();
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED', 'JOURNAL_WRITE_FAILED']);
    mkdirSync(home);
  });
});

describe('a disk that does not take more', () => {
  test('is reported once, delivers nothing and blocks nobody', async () => {
    symlinkSync('/dev/full', path);
    const { journal, sink } = await start();
    for (let i = 0; i < 3; i++) {
      journal.append(draft('POST:/a'));
      await journal.flush();
    }
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
    expect(sink.faults[0]).toMatchObject({ cause: { code: 'ENOSPC' } });
    expect(sink.faults[0]?.message).toContain(path);
    expect(sink.entries).toEqual([]);
    expect(await all(journal)).toEqual([]);
    await journal.close();
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED', 'JOURNAL_WRITE_FAILED']);
    expect(sink.faults[1]?.message).toContain('3 entries');
  });

  test('in the middle of a write leaves no torn line', async () => {
    const { journal, sink } = await start();
    journal.append(draft('POST:/a'));
    await journal.flush();
    const before = readFileSync(path, 'utf8');
    const prototype = await fileHandlePrototype();
    failAfterTenBytes(prototype, 'ENOSPC');
    journal.append(draft('POST:/b'));
    await journal.flush();
    expect(readFileSync(path, 'utf8')).toBe(before);
    await journal.flush();
    expect(sink.calls).toEqual(['reset', 1, 2]);
    expect((await all(journal)).map(({ offset }) => offset)).toEqual([2, 1]);
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
  });

  test('and does not take back what was written either gets the rest later', async () => {
    const { journal, sink } = await start();
    const prototype = await fileHandlePrototype();
    failAfterTenBytes(prototype, 'EIO');
    jest.spyOn(prototype, 'truncate').mockRejectedValueOnce(fail('EIO'));
    journal.append(draft('POST:/b'));
    await journal.flush();
    expect(statSync(path).size).toBe(10);
    journal.append(draft('POST:/c'));
    await journal.flush();
    expect(sink.calls).toEqual(['reset', 1, 2]);
    expect((await all(journal)).map(({ offset }) => offset)).toEqual([2, 1]);
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
  });

  test('and a handle that went bad are left behind by opening the file again', async () => {
    const { journal, sink } = await start();
    const prototype = await fileHandlePrototype();
    jest.spyOn(prototype, 'write').mockRejectedValueOnce(fail('EBADF'));
    journal.append(draft('POST:/a'));
    await until(() => sink.entries.length === 1);
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
  });

  test('is tried once more when the journal is closed', async () => {
    const { journal, sink } = await start();
    const prototype = await fileHandlePrototype();
    jest.spyOn(prototype, 'write').mockRejectedValueOnce(fail('ENOSPC'));
    journal.append(draft('POST:/a'));
    await journal.close();
    expect(sink.topics).toEqual(['POST:/a']);
    expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
  });

  test('for too long costs the newest entries, is reported once, and ends in a new epoch', async () => {
    const { journal, sink } = await start();
    const prototype = await fileHandlePrototype();
    const write = jest.spyOn(prototype, 'write').mockRejectedValue(fail('ENOSPC'));
    for (let i = 0; i < 100_010; i++) journal.append(draft('POST:/a'));
    expect(sink.codes).toEqual(['OVERLOADED']);
    await journal.flush();
    write.mockRestore();
    await journal.flush();
    expect(sink.codes).toEqual(['OVERLOADED', 'JOURNAL_WRITE_FAILED']);
    expect(sink.entries).toHaveLength(100_000);
    expect(sink.resets).toHaveLength(2);
    expect(sink.resets[1]?.epoch).not.toBe(sink.resets[0]?.epoch);
    expect(sink.calls.filter((call) => call !== 'reset')).toEqual(
      Array.from({ length: 100_000 }, (_, i) => i + 1),
    );
    journal.append(draft('POST:/b'));
    await journal.flush();
    expect((await all(journal, { limit: 1 }))[0]).toMatchObject({ offset: 100_001, topic: 'POST:/b' });
  });

  test('is written in pieces of bounded size', async () => {
    const { journal } = await start();
    const write = jest.spyOn(await fileHandlePrototype(), 'write');
    const data = 'x'.repeat(100_000);
    for (let i = 0; i < 50; i++) journal.append(draft('POST:/a', { data }));
    await journal.flush();
    const sizes = write.mock.calls.map(([batch]) => (batch as unknown as Buffer).length);
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThan(1.1 * 1024 * 1024);
  });
});

describe('an entry', () => {
  test('that is not JSON, or too large, is reported and left out', async () => {
    const { journal, sink } = await start();
    const circular: { self?: unknown } = {};
    circular.self = circular;
    journal.append(draft('POST:/a', { data: circular }));
    journal.append(draft('POST:/b', { data: 'x'.repeat(5 * 1024 * 1024) }));
    journal.append(draft('POST:/c'));
    await journal.flush();
    expect(sink.codes).toEqual(['INVALID_DATA', 'INVALID_DATA']);
    expect(sink.topics).toEqual(['POST:/c']);
  });

  test('whose receiver throws is kept, and so are the next ones', async () => {
    const { journal, sink } = await start();
    jest.spyOn(sink, 'deliver').mockImplementationOnce(() => {
      throw new Error('broken');
    });
    journal.append(draft('POST:/a'));
    await journal.flush();
    journal.append(draft('POST:/b'));
    await journal.flush();
    expect(sink.codes).toEqual(['CALLBACK_FAILED']);
    expect(sink.topics).toEqual(['POST:/b']);
  });
});

describe('a large file', () => {
  test('is read at its end only', async () => {
    const data = 'x'.repeat(1000);
    writeFileSync(path, Array.from({ length: 5000 }, (_, i) => line(i + 1, { data })).join(''));
    expect(statSync(path).size).toBeGreaterThan(5_000_000);
    leaveState(path, { head: 5000 });
    const read = jest.spyOn(await fileHandlePrototype(), 'read');
    const { journal, sink } = await start(10);
    expect(read).toHaveBeenCalledTimes(1);
    expect(sink.calls).toEqual(['reset', ...Array.from({ length: 10 }, (_, i) => 4991 + i)]);
    await all(journal, { limit: 10 });
    expect(read).toHaveBeenCalledTimes(2);
    expect(await all(journal)).toHaveLength(5000);
  });

  test('keeps characters that lie across two chunks', async () => {
    // Three and four bytes each, so that the borders of the chunks fall everywhere.
    const data = 'ü€😀'.repeat(1001);
    writeFileSync(path, Array.from({ length: 100 }, (_, i) => line(i + 1, { data })).join(''));
    leaveState(path, { head: 100 });
    const { journal, sink } = await start();
    expect(sink.entries).toHaveLength(100);
    const entries = await all(journal);
    expect(entries).toHaveLength(100);
    expect([...sink.entries, ...entries].every((entry) => entry.data === data)).toBe(true);
  });

  test('may have lines longer than a chunk', async () => {
    const data = 'y'.repeat(200_000);
    writeFileSync(path, line(1) + line(2, { data }) + line(3));
    leaveState(path, { head: 3 });
    const { sink } = await start();
    expect(sink.entries.map((entry) => (entry.data as string | undefined)?.length)).toEqual([
      undefined,
      200_000,
      undefined,
    ]);
  });
});

describe('a query', () => {
  test('waits for a journal that is being opened', async () => {
    writeFileSync(path, lines(1, 3));
    const journal = fileJournal({ path });
    journals.push(journal);
    const opened = journal.open(new Recorder(), 10);
    expect(await all(journal)).toHaveLength(3);
    await opened;
  });

  test('gives nothing where no file is', async () => {
    expect(await all(fileJournal({ path }))).toEqual([]);
  });

  test('leaves out a line that is being written', async () => {
    const { journal, sink } = await start();
    appendFileSync(path, `${line(1)}{"epoch":"fi`);
    expect(await all(journal)).toHaveLength(1);
    expect(sink.faults).toEqual([]);
  });

  test('says what to do when the file cannot be read', async () => {
    const reading = all(fileJournal({ path: directory }));
    await expect(reading).rejects.toMatchObject({ code: 'JOURNAL_READ_FAILED', cause: { code: 'EISDIR' } });
    await expect(reading).rejects.toThrow(directory);
  });
});
