import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileJournal } from '../../lib/journal/file/file-journal.ts';
import { hostJournal } from '../../lib/journal/host/host-journal.ts';
import type { Journal } from '../../lib/journal/journal.ts';
import { memoryJournal } from '../../lib/journal/memory.ts';
import { afterwards } from '../support/server.ts';
import { journalContract, Recorder } from './journal-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'reqcast-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const path = () => join(directory, `${++files}.jsonl`);

journalContract('memory', () => memoryJournal());
journalContract('file', () => fileJournal({ path: path() }));
journalContract('synced file', () => fileJournal({ path: path(), fsync: 'always' }));
journalContract('rotating file', () => fileJournal({ path: path(), rotateBytes: 300, keepFiles: 1000 }));

/** What the owner opens, over an empty history. */
function openFile(): () => Journal {
  const at = path();
  return () => fileJournal({ path: at });
}

/** Beside a process that owns the journal already. */
async function follower(journal: () => Journal): Promise<Journal> {
  const socketPath = `${path()}.host`;
  const owner = hostJournal({ socketPath, journal });
  await owner.open(new Recorder(), 10);
  afterwards(() => owner.close());
  return hostJournal({ socketPath, node: 'web-2' });
}

const owner = (journal: () => Journal) =>
  hostJournal({ socketPath: `${path()}.host`, journal, node: 'web-1' });

journalContract('host (as owner of a memory)', () => owner(() => memoryJournal()), 'web-1');
journalContract('host (as owner of a file)', () => owner(openFile()), 'web-1');
journalContract('host (as follower of a memory)', () => follower(() => memoryJournal()), 'web-2');
journalContract('host (as follower of a file)', () => follower(openFile()), 'web-2');
