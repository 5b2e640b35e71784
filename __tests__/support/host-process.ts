/** Another process that shares a host's journal, and publishes what it is sent. */
import { fileJournal, hostJournal } from '../../lib/index.ts';

const [socketPath, path] = process.argv.slice(2) as [string, string];

const journal = hostJournal({ socketPath, journal: () => fileJournal({ path }) });
process.on('message', (draft) => journal.append(draft as never));
// The parent is gone: so is what it wanted.
process.on('disconnect', () => process.exit());
void journal.open({ reset() {}, deliver() {}, fault() {} }, 0).then(() => process.send?.('ready'));
