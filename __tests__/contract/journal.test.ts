import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileJournal } from '../../lib/journal/file/file-journal.ts';
import { memoryJournal } from '../../lib/journal/memory.ts';
import { journalContract } from './journal-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'reqcast-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const path = () => join(directory, `${++files}.jsonl`);

journalContract('memory', () => memoryJournal());
journalContract('file', () => fileJournal({ path: path() }));
journalContract('synced file', () => fileJournal({ path: path(), fsync: 'always' }));
journalContract('rotating file', () => fileJournal({ path: path(), rotateBytes: 300, keepFiles: 1000 }));
