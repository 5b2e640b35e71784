import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestHistory } from '../../lib/journal/checks/index.ts';
import { type FileJournalOptions, fileJournal } from '../../lib/journal/file/file-journal.ts';
import { hostJournal } from '../../lib/journal/host/host-journal.ts';
import type { Journal } from '../../lib/journal/journal.ts';
import { memoryJournal } from '../../lib/journal/memory.ts';
import { journalContract, Recorder } from './journal-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'reqcast-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const newPath = () => join(directory, `${++files}.jsonl`);

journalContract('memory', () => ({ journal: () => memoryJournal() }));
journalContract('small memory', () => ({ journal: () => memoryJournal({ maxEntries: 50 }) }), {
  keepsFewerThan: 51,
});

/** Whoever opened a file that was then put back is told that it is another one. */
function file(options: Partial<FileJournalOptions> = {}): TestHistory {
  const path = newPath();
  return {
    journal: () => fileJournal({ path, ...options }),
    lose: () => writeFileSync(path, readFileSync(path, 'utf8').replace(/[^\n]*\n$/, '')),
  };
}

const kept = { kept: true, losable: true };
journalContract('file', () => file(), kept);
journalContract('synced file', () => file({ fsync: 'always' }), kept);
journalContract('often rotated file', () => file({ rotateBytes: 2000, keepFiles: 1000 }), kept);
journalContract('bounded file', () => file({ rotateBytes: 3000, keepFiles: 1 }), {
  ...kept,
  keepsFewerThan: 100,
});

/** Over a history of its own that only owners open. */
function inFile(): () => Journal {
  const { journal } = file();
  return journal as () => Journal;
}

function owners(journal: () => Journal): TestHistory {
  const socketPath = `${newPath()}.host`;
  return { journal: () => hostJournal({ socketPath, journal, node: 'web-1' }) };
}

/** Beside a process that owns the journal already. */
async function followers(journal: () => Journal): Promise<TestHistory> {
  const socketPath = `${newPath()}.host`;
  const owner = hostJournal({ socketPath, journal });
  await owner.open(new Recorder(), 10);
  return { journal: () => hostJournal({ socketPath, node: 'web-2' }), end: () => owner.close() };
}

const web = (n: number, kept: boolean) => ({ node: `web-${n}`, shared: true, kept });
journalContract('host (as owner of a memory)', () => owners(() => memoryJournal()), web(1, false));
journalContract('host (as owner of a file)', () => owners(inFile()), web(1, true));
journalContract('host (as follower of a memory)', () => followers(() => memoryJournal()), web(2, true));
journalContract('host (as follower of a file)', () => followers(inFile()), web(2, true));
