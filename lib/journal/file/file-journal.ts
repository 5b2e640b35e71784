import { dirname } from 'node:path';
import { type ErrorCode, ReqcastError } from '../../protocol/errors.ts';
import { assertNames, type Names } from '../../protocol/names.ts';
import type { Draft, Entry } from '../entry.ts';
import { newEpoch } from '../epoch.ts';
import { hand } from '../hand.ts';
import type { Journal, JournalSink, JournalStats } from '../journal.ts';
import { isWhole, refuse } from '../option.ts';
import { Outbox } from '../outbox.ts';
import { type Query, runQuery } from '../query.ts';
import type { LineTest } from '../spelling.ts';
import { type Batch, batchOf, MAX_BATCH_BYTES } from './batch.ts';
import { readHistory } from './history.ts';
import type { Progress } from './state.ts';
import { Store, type StoreSettings } from './store.ts';

/** A failed write is tried again after this long, then after twice as long each time, up to the latter. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;

export interface FileJournalOptions {
  /** The file. It is made if it is not there, readable for this user only; its directory must exist. */
  path: string;
  /**
   * `always`: an entry is on the disk before it is delivered. `never`: the operating system writes it out when it
   * likes; a crash of the process loses nothing, and after a crash or restart of the machine clients are told to
   * refresh all. @default 'never'
   */
  fsync?: 'never' | 'always';
  /**
   * A file that would grow beyond so many bytes is renamed to `path.1`, that one to `path.2` and so on. Queries and
   * replay read them all. @default never
   */
  rotateBytes?: number;
  /** So many renamed files are kept, 1 at least; the oldest is removed. @default 5 */
  keepFiles?: number;
}

const NAMES: Names<FileJournalOptions> = { path: true, fsync: true, rotateBytes: true, keepFiles: true };

/**
 * A journal in a file of JSON lines, which clients resume from after a restart too. One journal writes a file; opening
 * it a second time fails. It may be renamed or truncated at any time, e.g. by logrotate: writing goes on in a new file
 * at `path`. What was renamed to `path.1` or `path-20261124` still belongs to the journal.
 *
 * @throws ReqcastError `INVALID_OPTION`
 */
export function fileJournal(options: FileJournalOptions): Journal {
  assertNames('fileJournal', options, NAMES);
  const { path, fsync = 'never', rotateBytes = Number.POSITIVE_INFINITY, keepFiles = 5 } = options ?? {};
  if (typeof path !== 'string' || path === '' || path.includes('\0'))
    refuse('fileJournal', 'path', path, 'the path of a file, e.g. "requests.jsonl"');
  if (fsync !== 'never' && fsync !== 'always') refuse('fileJournal', 'fsync', fsync, '"never" or "always"');
  if (rotateBytes !== Number.POSITIVE_INFINITY && !isWhole(rotateBytes))
    refuse('fileJournal', 'rotateBytes', rotateBytes, 'a number of bytes, 1 or more');
  if (!isWhole(keepFiles)) refuse('fileJournal', 'keepFiles', keepFiles, 'a number of files, 1 or more');
  return new FileJournal(path, { synced: fsync === 'always', rotateBytes, keepFiles });
}

class FileJournal implements Journal {
  readonly #path: string;
  readonly #store: Store;
  readonly #maxBatch: number;
  readonly #outbox: Outbox;
  #sink: JournalSink | undefined;
  #ready = false;
  /** A new epoch is to begin when all that waits is written. */
  #renewing = false;
  #progress: Progress = { epoch: '', start: 0, head: 0 };
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #writing: Promise<void> | undefined;
  /** Kept until it is written: a retry must find the same bytes. */
  #batch: Batch | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;

  constructor(path: string, settings: StoreSettings) {
    this.#path = path;
    this.#store = new Store(path, settings, (...fault) => this.#fault(...fault));
    this.#outbox = new Outbox(
      () => path,
      (error) => this.#sink?.fault(error),
    );
    this.#maxBatch = Math.min(MAX_BATCH_BYTES, settings.rotateBytes);
  }

  async open(sink: JournalSink, history: number): Promise<void> {
    if (this.#opening || this.#closing)
      throw new ReqcastError('JOURNAL_OPEN_FAILED', 'A journal serves one attachment: make another.');
    this.#opening = this.#open(sink, history);
    await this.#opening;
  }

  async #open(sink: JournalSink, history: number): Promise<void> {
    this.#sink = sink;
    try {
      const { epoch, start, head, entries, damage } = await this.#store.open(history);
      this.#progress = { epoch, start, head };
      sink.reset({ epoch, offset: head - entries.length });
      if (entries.length > 0) this.#deliver(entries);
      for (const what of damage) this.#corrupt(what);
      this.#ready = true;
      this.#wake();
    } catch (cause) {
      const released = this.#store.close();
      this.#closing ??= released;
      await released;
      this.#outbox.release();
      if (cause instanceof ReqcastError && cause.code === 'JOURNAL_OPEN_FAILED') throw cause;
      const what = `The journal cannot be opened at ${this.#path}: ${(cause as Error).message}.`;
      const todo = `It must be a journal or a new file, which this process may write, in a directory that exists (${dirname(this.#path)}).`;
      throw new ReqcastError('JOURNAL_OPEN_FAILED', `${what} ${todo}`, { cause });
    }
  }

  append(draft: Draft): void {
    if (this.#closing) return;
    this.#outbox.accept(draft);
    this.#wake();
  }

  renew(): void {
    this.#renewing = true;
    this.#wake();
  }

  #wake(): void {
    if (!this.#ready || this.#writing || this.#retry || !(this.#pending || this.#renewing)) return;
    this.#writing = this.#writeAll();
  }

  get #pending(): number {
    return this.#outbox.size + (this.#batch?.entries.length ?? 0);
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#pending || this.#renewing) {
        await this.#store.prepare();
        if (!this.#pending) {
          await this.#renew();
          continue;
        }
        const { epoch, head } = this.#progress;
        this.#batch ??= batchOf(this.#outbox.take(this.#maxBatch), epoch, head);
        const { entries, bytes } = this.#batch;
        const progress = { ...this.#progress, head: head + entries.length };
        const sound = await this.#store.append(bytes, progress);
        this.#stored(entries, progress);
        if (this.#outbox.overflowed() || !sound) await this.#renew();
      }
    } catch (error) {
      this.#failed(error as Error);
    }
    this.#writing = undefined;
  }

  #stored(entries: readonly Entry[], progress: Progress): void {
    this.#batch = undefined;
    this.#failures = 0;
    this.#progress = progress;
    this.#deliver(entries);
    this.#outbox.settle(entries.length);
  }

  async #renew(): Promise<void> {
    this.#renewing = false;
    const epoch = newEpoch();
    const { head } = this.#progress;
    this.#progress = { epoch, start: head, head };
    await this.#store.note(this.#progress);
    this.#sink?.reset({ epoch, offset: head });
  }

  #failed(cause: Error): void {
    if (this.#failures++ === 0)
      this.#fault(
        'JOURNAL_WRITE_FAILED',
        `The journal cannot be written to ${this.#path}: ${cause.message}. Entries wait in memory, unannounced; it is tried again until it succeeds.`,
        cause,
      );
    // Reported is settled: who waits for a flush must not wait for the disk to be repaired.
    this.#outbox.release();
    if (this.#closing) return;
    const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    this.#retry = setTimeout(() => this.#tryAgain(), delay).unref();
  }

  #tryAgain(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#wake();
  }

  async flush(): Promise<void> {
    if (this.#closing) return this.#closing;
    const flushed = this.#outbox.flushed();
    if (this.#retry) this.#tryAgain();
    return flushed;
  }

  stats(): JournalStats {
    const { pending, lost } = this.#outbox;
    return { waiting: pending, lost, connected: this.#ready && this.#failures === 0 };
  }

  query(query: Query = {}): AsyncIterable<Entry> {
    return runQuery(query, (isWorthParsing) => this.#newestFirst(isWorthParsing));
  }

  async *#newestFirst(isWorthParsing: LineTest | undefined): AsyncGenerator<Iterable<Entry>> {
    await this.#opening?.catch(() => {});
    const onCorrupt = () => this.#corrupt('a line is not an entry and was skipped');
    yield* readHistory(this.#store.path, isWorthParsing, onCorrupt);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => {});
    clearTimeout(this.#retry);
    this.#retry = undefined;
    await this.#writing;
    this.#wake();
    await this.#writing;
    const lost = this.#pending;
    if (lost > 0) {
      this.#fault(
        'JOURNAL_WRITE_FAILED',
        `${lost} entries could not be written to ${this.#path} and are lost: after a restart clients are told to refresh all.`,
      );
      await this.#store.void();
    }
    await this.#store.close(this.#ready && lost === 0 ? this.#progress : undefined);
    this.#outbox.release();
  }

  #deliver(entries: readonly Entry[]): void {
    if (this.#sink) hand(this.#sink, (sink) => sink.deliver(entries));
  }

  #corrupt(damage: string): void {
    this.#fault('JOURNAL_CORRUPT', `The journal ${this.#path} is damaged: ${damage}. The rest is used.`);
  }

  #fault(code: ErrorCode, message: string, cause?: unknown): void {
    this.#sink?.fault(new ReqcastError(code, message, { cause }));
  }
}
