import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { all, draft } from '../../contract/journal-contract.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { afterwards, until } from '../../support/server.ts';
import { opened, run } from './stage.ts';

/** Runs it, or says what could not be done and leaves the test. */
function done(command: string, ...args: string[]): boolean {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return true;
  console.info(`skipped: ${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}; it takes root`);
  return false;
}

test('a disk that is full is told once, and what waited is written and announced when there is room', async () => {
  const disk = temporaryDirectory();
  if (!done('mount', '-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', disk)) return;
  afterwards(() => spawnSync('umount', ['-l', disk]));
  const path = join(disk, 'requests.jsonl');
  const { journal, sink } = await opened({ path });
  journal.append(draft('POST:/before'));
  await journal.flush();
  const filler = join(disk, 'filler');
  expect(() => writeFileSync(filler, Buffer.alloc(200_000))).toThrow('ENOSPC');
  const data = 'x'.repeat(2000);
  for (let i = 0; i < 10; i++) journal.append(draft(`POST:/full/${i}`, { data }));
  await journal.flush();
  await journal.flush();
  expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
  expect(sink.faults[0]).toMatchObject({ cause: { code: 'ENOSPC' } });
  expect(sink.topics).toEqual(['POST:/before']);
  expect(readFileSync(path, 'utf8')).toMatch(/\n$/);
  rmSync(filler);
  await until(() => sink.entries.length === 11);
  expect(await all(journal)).toHaveLength(11);
  expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
  await journal.close();
  expect((await run({ path })).calls).toEqual(sink.calls);
});

test('a pipe that nobody reads is told once, keeps nobody waiting, and is written where it was when somebody reads', async () => {
  const path = join(temporaryDirectory(), 'pipe');
  if (!done('mkfifo', path)) return;
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  afterwards(() => closeSync(reader));
  const { journal, sink } = await opened({ path, fsync: 'always' });
  const data = 'x'.repeat(1000);
  for (let i = 0; i < 200; i++) journal.append(draft('POST:/a', { data }));
  await journal.flush();
  expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
  expect(sink.entries).toEqual([]);
  expect(await all(journal)).toEqual([]);
  let text = '';
  const buffer = Buffer.alloc(64 * 1024);
  const read = () => {
    try {
      text += buffer.toString('latin1', 0, readSync(reader, buffer));
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' });
    }
    return sink.entries.length === 200;
  };
  await until(read);
  read();
  const offsets = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).offset);
  expect(offsets).toEqual(sink.calls.slice(1));
  for (let i = 0; i < 200; i++) journal.append(draft('POST:/a', { data }));
  await journal.close();
  expect(sink.codes).toEqual(Array(3).fill('JOURNAL_WRITE_FAILED'));
});

test('a file that becomes read-only is told once, and written when it is not any more', async () => {
  const path = join(temporaryDirectory(), 'requests.jsonl');
  const { journal, sink } = await opened({ path });
  if (!done('chattr', '+i', path)) return;
  const writable = () => spawnSync('chattr', ['-i', path]);
  afterwards(writable);
  for (const topic of ['POST:/a', 'POST:/b']) {
    journal.append(draft(topic));
    await journal.flush();
  }
  expect(sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
  expect(sink.entries).toEqual([]);
  writable();
  await until(() => sink.entries.length === 2);
  expect(sink.calls).toEqual(['reset', 1, 2]);
});
