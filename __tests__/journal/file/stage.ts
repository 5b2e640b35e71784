import { type FileJournalOptions, fileJournal } from '../../../lib/journal/file/file-journal.ts';
import { draft, Recorder } from '../../contract/journal-contract.ts';
import { afterwards } from '../../support/server.ts';

/** A journal that is open, and what it handed over. It is closed after the test. */
export async function opened(options: FileJournalOptions, history = 100) {
  const journal = fileJournal(options);
  const sink = new Recorder();
  afterwards(() => journal.close());
  await journal.open(sink, history);
  return { journal, sink };
}

/** A run that appends these topics, one write each, and ends. */
export async function run(options: FileJournalOptions, ...topics: string[]) {
  const { journal, sink } = await opened(options);
  for (const topic of topics) {
    journal.append(draft(topic));
    await journal.flush();
  }
  await journal.close();
  return sink;
}

/** A line of the epoch `first`. */
export const line = (offset: number, rest: object = {}, epoch = 'first') =>
  `${JSON.stringify({ epoch, offset, time: 1000, topic: `POST:/a/${offset}`, ...rest })}\n`;

export const lines = (from: number, to: number, epoch = 'first') =>
  Array.from({ length: to - from + 1 }, (_, i) => line(from + i, {}, epoch)).join('');
