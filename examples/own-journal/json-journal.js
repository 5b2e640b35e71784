import { readFile, rename, writeFile } from 'node:fs/promises';
import { queryEntries, ReqcastError } from 'reqcast';

/** A journal in one JSON file that is written anew for each batch: for one process, and for as many entries as that bears. */
export function jsonJournal({ path, maxEntries = 1000 }) {
  const waiting = [];
  let kept; // { epoch, entries }, as in the file, once it was read.
  let sink;
  let closed = false;
  let turn = Promise.resolve(); // One thing at a time is done with the file.

  const error = (code, cause) => new ReqcastError(code, `${path}: ${cause.message}`, { cause });
  const head = () => kept.entries.at(-1)?.offset ?? 0;
  const flush = () => (turn = turn.then(write, () => {}));

  async function begin(history) {
    try {
      kept = JSON.parse(await readFile(path, 'utf8'));
    } catch (cause) {
      if (cause.code !== 'ENOENT') throw error('JOURNAL_OPEN_FAILED', cause);
      // Nothing was ever delivered, or all is lost: another epoch says so. An older copy put back is not noticed.
      kept = { epoch: crypto.randomUUID(), entries: [] };
    }
    const newest = history > 0 ? kept.entries.slice(-history) : [];
    sink.reset({ epoch: kept.epoch, offset: head() - newest.length });
    if (newest.length > 0) sink.deliver(newest);
  }

  async function write() {
    if (!kept || waiting.length === 0) return;
    try {
      const added = waiting.map((draft, i) => ({ offset: head() + i + 1, ...draft }));
      const next = { ...kept, entries: [...kept.entries, ...added].slice(-maxEntries) };
      // On the disk, and all or nothing, before anybody is told.
      await writeFile(`${path}.new`, JSON.stringify(next), { flush: true });
      await rename(`${path}.new`, path);
      kept = next;
      waiting.splice(0, added.length);
      sink.deliver(added);
    } catch (cause) {
      sink.fault(error('JOURNAL_WRITE_FAILED', cause)); // What waits is written with the next entry.
    }
  }

  return {
    async open(receiver, history) {
      if (sink || closed) throw new ReqcastError('JOURNAL_OPEN_FAILED', 'Make another journal.');
      sink = receiver;
      turn = begin(history);
      await turn;
      await flush();
    },
    append(draft) {
      if (closed) return;
      try {
        waiting.push(JSON.parse(JSON.stringify(draft)));
        flush();
      } catch (cause) {
        sink?.fault(error('INVALID_DATA', cause));
      }
    },
    flush,
    stats: () => ({ waiting: waiting.length, lost: 0, connected: kept !== undefined }),
    query: (query = {}) => queryEntries(query, () => kept?.entries.toReversed() ?? []),
    close() {
      closed = true;
      return flush();
    },
  };
}
