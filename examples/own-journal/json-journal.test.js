// The suite that all of reqcast's own journals pass: node --test examples/own-journal/json-journal.test.js
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { journalChecks } from 'reqcast/journal-test';
import { jsonJournal } from './json-journal.js';

function begin() {
  const directory = mkdtempSync(join(tmpdir(), 'own-journal-'));
  const path = join(directory, 'journal.json');
  return {
    journal: () => jsonJournal({ path }),
    end: () => rmSync(directory, { recursive: true }),
  };
}

for (const { name, run } of journalChecks(begin, { kept: true, keepsFewerThan: 1001 })) test(name, run);
