import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { queryEntries, ReqcastError } from 'reqcast';

/** A journal in one JSON file that is written anew for each batch: for one process, and for as many entries as that bears. */
export class JsonJournal {
  #path;
  #maxEntries;
  #sink;
  #opening;
  #ready = false;
  #closed = false;
  #writing;
  #waiting = [];
  #history = { epoch: randomBytes(9).toString('base64url'), entries: [] };

  constructor({ path, maxEntries = 1000 }) {
    this.#path = path;
    this.#maxEntries = maxEntries;
  }

  async open(sink, history) {
    if (this.#sink || this.#closed) throw new ReqcastError('JOURNAL_OPEN_FAILED', 'Make another journal.');
    this.#sink = sink;
    this.#opening = this.#read();
    await this.#opening;
    const newest = history > 0 ? this.#history.entries.slice(-history) : [];
    sink.reset({ epoch: this.#history.epoch, offset: this.#head - newest.length });
    if (newest.length > 0) sink.deliver(newest);
    this.#ready = true;
    this.#write();
  }

  async #read() {
    try {
      this.#history = JSON.parse(await readFile(this.#path, 'utf8'));
    } catch (cause) {
      // Nothing was ever delivered, or all is lost: another epoch says so. An older copy put back is not noticed.
      if (cause.code === 'ENOENT') return;
      throw new ReqcastError('JOURNAL_OPEN_FAILED', `${this.#path}: ${cause.message}`, { cause });
    }
  }

  get #head() {
    return this.#history.entries.at(-1)?.offset ?? 0;
  }

  append(draft) {
    if (this.#closed) return;
    try {
      this.#waiting.push(JSON.parse(JSON.stringify(draft)));
    } catch (cause) {
      this.#sink?.fault(new ReqcastError('INVALID_DATA', `An entry is lost: ${cause.message}`, { cause }));
    }
    this.#write();
  }

  #write() {
    if (this.#ready && this.#waiting.length > 0) this.#writing ??= this.#writeAll();
  }

  async #writeAll() {
    try {
      while (this.#waiting.length > 0) {
        const added = this.#waiting.map((draft, i) => ({ offset: this.#head + i + 1, ...draft }));
        const entries = [...this.#history.entries, ...added].slice(-this.#maxEntries);
        const history = { ...this.#history, entries };
        // On the disk, and all or nothing, before anybody is told.
        await writeFile(`${this.#path}.new`, JSON.stringify(history), { flush: true });
        await rename(`${this.#path}.new`, this.#path);
        this.#history = history;
        this.#waiting.splice(0, added.length);
        this.#sink.deliver(added);
      }
    } catch (cause) {
      // What waits is written with the next entry.
      this.#sink.fault(
        new ReqcastError('JOURNAL_WRITE_FAILED', `${this.#path}: ${cause.message}`, { cause }),
      );
    }
    this.#writing = undefined;
  }

  async flush() {
    this.#write();
    await this.#writing;
  }

  stats() {
    return { waiting: this.#waiting.length, lost: 0, connected: this.#ready };
  }

  query(query = {}) {
    return queryEntries(query, this.#newestFirst());
  }

  *#newestFirst() {
    yield* this.#history.entries.toReversed();
  }

  async close() {
    this.#closed = true;
    await this.#opening?.catch(() => {});
    await this.flush();
  }
}
