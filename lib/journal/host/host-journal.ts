import { dirname, resolve as resolvePath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import createDebug from 'debug';
import { type ErrorCode, ReqcastError } from '../../protocol/errors.ts';
import { assertNames, type Names } from '../../protocol/names.ts';
import { claimOwnDirectory } from '../../unix/own-directory.ts';
import { fitsSocketPath } from '../../unix/socket-path.ts';
import type { Draft, Entry } from '../entry.ts';
import { hand } from '../hand.ts';
import type { Journal, JournalSink, JournalStats } from '../journal.ts';
import { memoryJournal } from '../memory.ts';
import { refuse } from '../option.ts';
import { type Query, runQuery } from '../query.ts';
import { askOwner } from './ask-owner.ts';
import { Dispatch } from './dispatch.ts';
import { bare, Follower } from './follower.ts';
import { BEAT_MS, Owner, type OwnerSettings } from './owner.ts';
import { dial, isBusy, REMEDY } from './seat.ts';

const debug = createDebug('reqcast:host');

/** An owner that was not heard for so many beats is reported. It keeps the socket: two writers would be worse. */
const PATIENCE_BEATS = 3;

/** Opening takes as long as reading the history does. */
const OPENING_BEATS = 5;

/** An attempt that failed is made again within this, then within twice as long each time, up to the latter. */
const FIRST_RETRY_MS = 10;
const LAST_RETRY_MS = 500;

export interface HostJournalOptions {
  /**
   * The UNIX socket, the same in all processes. Its directory must be this user's, and writable for nobody else; it is
   * made if it is not there.
   */
  socketPath: string;
  /** Makes the journal behind it; only the process that owns it calls this. @default () => memoryJournal() */
  journal?: () => Journal;
  /** What this process's entries say they come from. @default the process id */
  node?: string;
  /** The permissions of the socket: who may open it reads and writes everything. @default 0o600 */
  mode?: number;
}

const NAMES: Names<HostJournalOptions> = { socketPath: true, journal: true, node: true, mode: true };

/**
 * A journal for the processes of one machine: node:cluster, PM2, a worker beside the web server. The first one owns
 * the journal behind it and serves it over a UNIX socket; when it ends or dies, another takes over. Other programs
 * publish by writing lines of JSON to the socket; see PROTOCOL.md.
 *
 * @throws ReqcastError `INVALID_OPTION`
 */
export function hostJournal(options: HostJournalOptions): Journal {
  assertNames('hostJournal', options, NAMES);
  const {
    socketPath,
    journal = () => memoryJournal(),
    node = String(process.pid),
    mode = 0o600,
  } = options ?? {};
  const path = typeof socketPath === 'string' && socketPath !== '' ? resolvePath(socketPath) : '';
  if (path === '' || path.includes('\0') || !fitsSocketPath(path))
    refuse('hostJournal', 'socketPath', socketPath, 'the path of a UNIX socket, of about 100 bytes at most');
  if (typeof journal !== 'function')
    refuse('hostJournal', 'journal', journal, 'a function that makes a journal');
  if (typeof node !== 'string' || node === '') refuse('hostJournal', 'node', node, 'a name');
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o777)
    refuse('hostJournal', 'mode', mode, '0o0 to 0o777');
  return new HostJournal(node, { socketPath: path, journal, mode });
}

class HostJournal implements Journal {
  readonly shared = true;
  readonly #node: string;
  readonly #settings: OwnerSettings;
  readonly #dispatch: Dispatch;
  #sink: JournalSink | undefined;
  #follower: Follower | undefined;
  #owner: Owner | undefined;
  #opening: Promise<void> | undefined;
  #opened = false;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #ended = false;
  /** For so many beats nothing was heard of an owner. */
  #quiet = 0;
  #unreachable = false;
  /** Why the last attempt failed. */
  #cause: Error | undefined;

  constructor(node: string, settings: Omit<OwnerSettings, 'onFault'>) {
    const onFault = (error: ReqcastError) => this.#sink?.fault(error);
    this.#node = node;
    this.#settings = { ...settings, onFault };
    this.#dispatch = new Dispatch(settings.socketPath, onFault);
  }

  async open(sink: JournalSink, history: number): Promise<void> {
    if (this.#opening || this.#closing)
      throw new ReqcastError('JOURNAL_OPEN_FAILED', 'A journal serves one attachment: make another.');
    this.#sink = sink;
    this.#opening = awake(this.#open(sink, history));
    await this.#opening;
  }

  async #open(sink: JournalSink, history: number): Promise<void> {
    const { socketPath } = this.#settings;
    try {
      await claimOwnDirectory(dirname(socketPath), REMEDY);
      await this.#begin(guarded(sink), history);
      this.#opened = true;
      if (!this.#owner) sink.leads?.(false);
    } catch (cause) {
      this.#ended = true;
      this.#follower?.end();
      this.#dispatch.release();
      await this.#owner?.close();
      if (cause instanceof ReqcastError && cause.code === 'JOURNAL_OPEN_FAILED') throw cause;
      const message = `The journal cannot be opened at ${socketPath}: ${(cause as Error).message}`;
      throw new ReqcastError('JOURNAL_OPEN_FAILED', message, { cause });
    }
  }

  /** Resolves when the sink has what the journal had; rejects with what prevents it. */
  #begin(sink: JournalSink, history: number): Promise<void> {
    return new Promise((onCaughtUp, fail) => {
      const onHeard = () => this.#heard();
      this.#follower = new Follower({ sink, history, dispatch: this.#dispatch, onHeard, onCaughtUp });
      const watch = setInterval(() => this.#tick(fail), BEAT_MS).unref();
      this.#running = this.#run(this.#follower, history, fail).finally(() => clearInterval(watch));
    });
  }

  /** Follows whoever owns the journal, or comes to own it, again and again. */
  async #run(follower: Follower, history: number, fail: (error: unknown) => void): Promise<void> {
    for (let failures = 0; !this.#ended; ) {
      const answered = await this.#attempt(follower, history).catch((error) => {
        debug('an attempt failed: %s', error.message);
        if (isBusy(error)) return false;
        this.#cause = error;
        if (!this.#opened) fail(error);
        return false;
      });
      failures = answered ? 0 : failures + 1;
      const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
      if (failures > 0) await sleep(Math.random() * most, undefined, { ref: false });
    }
  }

  async #attempt(follower: Follower, history: number): Promise<boolean> {
    const socket = await dial(this.#settings.socketPath);
    if (socket && this.#ended) socket.destroy();
    else if (socket) return follower.follow(socket);
    else await this.#lead(history);
    return true;
  }

  async #lead(history: number): Promise<void> {
    debug('nobody owns the journal');
    const owner = await Owner.open(this.#settings, history);
    debug('this process owns the journal');
    if (this.#ended) return owner.close();
    this.#owner = owner;
    this.#sink?.leads?.(true);
  }

  #heard(): void {
    this.#quiet = 0;
    this.#unreachable = false;
    this.#cause = undefined;
  }

  #tick(fail: (error: unknown) => void): void {
    this.#quiet++;
    const { socketPath } = this.#settings;
    const silent = `the process that owns it has said nothing for ${(this.#quiet * BEAT_MS) / 1000} s`;
    const why = this.#cause?.message ?? silent;
    if (!this.#opened) {
      if (this.#quiet >= OPENING_BEATS) fail(new Error(why));
    } else if (this.#quiet >= PATIENCE_BEATS && !this.#unreachable) {
      this.#unreachable = true;
      const message = `The journal at ${socketPath} cannot be reached: ${why}. Clients stay connected, entries wait in memory, unannounced; it goes on by itself.`;
      this.#fault('JOURNAL_UNREACHABLE', message, this.#cause);
      // Reported is settled: who waits for a flush must not wait for another process.
      this.#dispatch.release();
    }
  }

  #fault(code: ErrorCode, message: string, cause?: unknown): void {
    this.#sink?.fault(new ReqcastError(code, message, { cause }));
  }

  append(draft: Draft): void {
    if (!this.#closing) this.#dispatch.accept({ node: this.#node, ...draft });
  }

  async flush(): Promise<void> {
    await (this.#closing ?? awake(this.#flushed()));
  }

  async #flushed(): Promise<void> {
    if (!this.#unreachable) await this.#dispatch.flushed();
  }

  stats(): JournalStats {
    const { pending, lost } = this.#dispatch;
    return { waiting: pending, lost, connected: !this.#unreachable && this.#follower?.connected === true };
  }

  query(query: Query = {}): AsyncIterable<Entry> {
    // Refused here and now, whoever is asked.
    runQuery(query, () => []);
    return this.#ask({ ...query });
  }

  async *#ask(query: Query): AsyncGenerator<Entry> {
    await this.#opening?.catch(() => {});
    const found = this.#owner?.query(query) ?? askOwner(this.#settings.socketPath, query);
    for await (const entry of found) yield bare(entry);
  }

  close(): Promise<void> {
    this.#closing ??= awake(this.#close());
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => {});
    if (this.#opened) await this.#flushed();
    this.#ended = true;
    const lost = this.#dispatch.pending;
    if (this.#opened && lost > 0)
      this.#fault(
        'JOURNAL_WRITE_FAILED',
        `${lost} entries were not in the journal yet when it was closed: those that its owner cannot write are lost.`,
      );
    // It tells this process the last entries too, and ends its link.
    if (this.#owner) await this.#owner.close();
    else this.#follower?.end();
    await this.#running;
  }
}

/** What the receiver throws is reported, and breaks nothing. */
function guarded(sink: JournalSink): JournalSink {
  return {
    reset: (start) => hand(sink, () => sink.reset(start)),
    deliver: (entries) => hand(sink, () => sink.deliver(entries)),
    fault: (error) => sink.fault(error),
  };
}

/** All that a journal has open lets the process end; what is waited for must come to its end. */
async function awake<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 2 ** 31 - 1);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
