import { type ErrorCode, ReqcastError } from '../../protocol/errors.ts';
import type { Draft, Entry } from '../entry.ts';
import { newEpoch } from '../epoch.ts';
import { hand } from '../hand.ts';
import type { Journal, JournalSink, JournalStats } from '../journal.ts';
import { Outbox } from '../outbox.ts';
import { type Query, runQuery } from '../query.ts';
import { type Engine, follows, isBehind, type Kept, type Mark, type Session, type Step } from './engine.ts';
import { entryOf, Feed } from './feed.ts';
import { newest } from './newest.ts';
import { Outage } from './outage.ts';
import { Sender } from './sender.ts';

/** A history can be lost without a word: it is looked at after so long, when nobody added to it. */
const LOOK_MS = 1_000;

/** Closing goes on without an engine that does nothing for so long. */
const STUCK_MS = 5_000;

/**
 * A journal that several processes share: an engine keeps the entries and their order. One process reads them once,
 * for all its subscribers. While the engine cannot be reached, entries wait in the outbox.
 */
export class EngineJournal implements Journal {
  readonly shared = true;
  readonly #engine: Engine;
  readonly #node: string;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #feed: Feed;
  readonly #outage: Outage;
  #sink: JournalSink | undefined;
  /** How many entries to hand over where a history begins. */
  #history = 0;
  /** The one that is used, from when the history was found to be the known one until it fails. */
  #session: Session | undefined;
  /** It has taken a batch. */
  #takes = false;
  /** The furthest place that was seen, read already or not. */
  #known: Mark | undefined;
  #opening: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #ended = false;

  /** @param node tells each entry's origin */
  constructor(engine: Engine, node: string) {
    this.#engine = engine;
    this.#node = node;
    const fault = (error: ReqcastError) => this.#sink?.fault(error);
    this.#outbox = new Outbox(
      () => engine.name,
      fault,
      () => engine.maxEntryBytes,
    );
    this.#sender = new Sender(this.#outbox);
    this.#outage = new Outage(engine.name, fault);
    const receiver = {
      reset: (start: Parameters<JournalSink['reset']>[0]) => this.#hand((sink) => sink.reset(start)),
      deliver: (entries: readonly Entry[]) => this.#hand((sink) => sink.deliver(entries)),
    };
    this.#feed = new Feed(receiver, () => this.#corrupt());
  }

  async open(sink: JournalSink, history: number): Promise<void> {
    if (this.#opening || this.#closing)
      throw new ReqcastError('JOURNAL_OPEN_FAILED', 'A journal serves one attachment: make another.');
    this.#sink = sink;
    this.#history = history;
    this.#opening = new Promise((opened, refused) => {
      this.#running = this.#run(opened, refused);
    });
    await this.#opening;
  }

  async #run(opened: () => void, refused: (why: Error) => void): Promise<void> {
    let first = true;
    while (!this.#ended) {
      let session: Session | undefined;
      try {
        session = await this.#engine.connect();
        if (!this.#ended) await this.#join(session);
        opened();
        first = false;
        if (!this.#ended) await this.#live(session);
      } catch (thrown) {
        const cause = thrown as Error;
        if (first && cause instanceof ReqcastError && cause.code === 'JOURNAL_OPEN_FAILED') {
          this.#ended = true;
          refused(cause);
        } else if (!this.#ended) this.#failed(cause);
      }
      this.#leave(session);
      // An app starts without its engine. Its clients are told to refresh when there is a history to follow.
      if (first && !this.#feed.at && !this.#ended)
        this.#hand((sink) => sink.reset({ epoch: newEpoch(), offset: 0 }));
      opened();
      first = false;
      if (!this.#ended) await this.#outage.pause();
    }
  }

  /** From here on the session is used. */
  async #join(session: Session): Promise<void> {
    await this.#take(session, {});
    if (!this.#feed.at) await this.#begin(session);
    this.#session = session;
    this.#takes = false;
  }

  async #begin(session: Session): Promise<void> {
    const head = this.#known as Mark;
    this.#feed.begin(head, await newest(session, head, this.#history));
  }

  async #live(session: Session): Promise<void> {
    const going = () => this.#session === session;
    const loops = [
      this.#follow(session, going),
      this.#sender.run(going, (step) => this.#take(session, step)),
    ];
    try {
      await Promise.race(loops);
    } finally {
      this.#leave(session);
      await Promise.allSettled(loops);
    }
  }

  #leave(session: Session | undefined): void {
    this.#session = undefined;
    session?.end();
    this.#sender.wake();
  }

  async #follow(session: Session, going: () => boolean): Promise<void> {
    let looked = performance.now();
    while (going()) {
      const at = this.#feed.at as Mark;
      const kepts = await session.next(at);
      // Who may read and not write is not served.
      if (this.#takes || this.#outbox.pending === 0) this.#outage.over();
      const [first] = kepts;
      // Too far back, or another history under the same name, in which case looking makes it another epoch.
      const torn = first?.epoch === at.epoch && !follows(first, at);
      if (!first || torn || performance.now() - looked >= LOOK_MS) {
        if (torn || !(await session.stillHas(this.#known as Mark))) await this.#take(session, {});
        looked = performance.now();
      }
      if (torn) await this.#begin(session);
      else this.#feed.take(kepts);
      this.#see(this.#feed.at as Mark);
    }
  }

  async #take(session: Session, step: Omit<Step, 'known'>): Promise<void> {
    this.#see(await session.take({ known: this.#known, ...step }));
    this.#takes ||= step.batch !== undefined;
  }

  #see(mark: Mark): void {
    if (!this.#known || isBehind(this.#known, mark)) this.#known = mark;
  }

  #failed(cause: Error): void {
    if (!this.#outage.failed(cause, !this.#feed.at)) return;
    // Reported is settled: who waits for a flush must not wait for the engine to come back.
    this.#outbox.release();
    this.#feed.release();
  }

  append(draft: Draft): void {
    if (this.#closing) return;
    this.#outbox.accept({ ...draft, node: this.#node });
    this.#sender.wake();
  }

  async flush(): Promise<void> {
    return this.#closing ?? this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#ended) return;
    const flushed = this.#outbox.flushed();
    this.#outage.tryAgain();
    await flushed;
    if (this.#session && this.#known) await this.#feed.reached(this.#known);
  }

  stats(): JournalStats {
    const { pending, lost } = this.#outbox;
    return { waiting: pending, lost, connected: this.#session !== undefined };
  }

  query(query: Query = {}): AsyncIterable<Entry> {
    return runQuery(query, () => this.#newestFirst());
  }

  /** Page by page. */
  async *#newestFirst(): AsyncGenerator<Entry[]> {
    let last: Kept | undefined;
    do {
      const page = await this.#previous(last);
      last = page.at(-1);
      yield page.flatMap((kept) => {
        const entry = entryOf(kept);
        if (!entry && kept.json !== undefined) this.#corrupt();
        return entry ?? [];
      });
    } while (last);
  }

  async #previous(before: Mark | undefined): Promise<readonly Kept[]> {
    const shared = this.#session;
    let own: Session | undefined;
    try {
      if (!shared) own = await this.#engine.connect();
      return await (shared ?? (own as Session)).previous(before);
    } catch (cause) {
      const message = `The journal cannot be read from ${this.#engine.name}: ${(cause as Error).message}.`;
      throw new ReqcastError('JOURNAL_READ_FAILED', message, { cause });
    } finally {
      own?.end();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await within(
      STUCK_MS,
      this.#opening?.catch(() => {}),
    );
    if (this.#running) await this.#drain();
    this.#ended = true;
    this.#leave(this.#session);
    this.#outage.tryAgain();
    await within(STUCK_MS, this.#running);
    const lost = this.#outbox.pending;
    if (lost > 0) {
      const message = `${lost} entries could not be brought to ${this.#engine.name} before the journal was closed: they are lost, and nobody is told.`;
      this.#fault('JOURNAL_WRITE_FAILED', message);
    }
    this.#outbox.release();
    this.#feed.release();
  }

  /** Flushes, as long as the outbox gets shorter. */
  async #drain(): Promise<void> {
    const flushed = this.#flush();
    let before: number;
    do before = this.#outbox.pending;
    while (!(await within(STUCK_MS, flushed)) && this.#outbox.pending < before);
  }

  #hand(call: (sink: JournalSink) => void): void {
    if (this.#sink) hand(this.#sink, call);
  }

  #corrupt(): void {
    const message = `What ${this.#engine.name} has of the journal is damaged: an entry cannot be read. The rest is used.`;
    this.#fault('JOURNAL_CORRUPT', message);
  }

  #fault(code: ErrorCode, message: string): void {
    this.#sink?.fault(new ReqcastError(code, message));
  }
}

/** @returns whether it was settled in time */
async function within(ms: number, promise: Promise<void> | undefined): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const inTime = await Promise.race([promise?.then(() => true) ?? true, late]);
  clearTimeout(timer);
  return inTime;
}
