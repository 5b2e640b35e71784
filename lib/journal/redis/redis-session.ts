import type { Kept, Mark, Session, Step } from '../engine/engine.ts';
import { newEpoch } from '../epoch.ts';
import type { RedisClient } from './client.ts';
import { Line } from './line.ts';
import { refusal } from './refusal.ts';
import { firstOwn, keptOf, markOf, streamOf } from './reply.ts';
import { SCRIPT, SCRIPT_SHA } from './script.ts';

/** So many entries are read at once: a few hundred kilobytes, mostly. */
const PAGE_ENTRIES = 500;
/** How long a read waits for something new. */
const BLOCK_MS = 1_000;
/** Entries that are too old are removed this often, or as often as they become too old if that is more. */
const LONGEST_PRUNE_MS = 10_000;
/**
 * A batch that was sent and not answered is sent again when Redis is back. If that takes longer than this, it may
 * be added twice. Each process leaves some hundred bytes behind for so long.
 */
const REMEMBER_S = 86_400;
/** A cluster's client changes servers without a word, so which one it is, is compared again after so long. */
const COMPARE_MS = 10_000;

export interface RedisSettings {
  readonly client: RedisClient;
  /** The key of the stream. */
  readonly stream: string;
  /** The key of the number of this process's last batch; with the same hash tag. */
  readonly writer: string;
  /** The key of the run of Redis that is known to have all; with the same hash tag. */
  readonly vouched: string;
  readonly maxEntries: number;
  /** Infinity: for ever. */
  readonly maxAgeMs: number;
}

/** One connection for what is answered at once, and one that waits for what is new. */
export class RedisSession implements Session {
  readonly #settings: RedisSettings;
  readonly #line: Line;
  #waiting: Line | undefined;
  #ended = false;
  /** Of the next epoch that is begun here. */
  #name = newEpoch();
  #pruneAt = 0;
  #compareAt = 0;

  constructor(line: Line, settings: RedisSettings) {
    this.#line = line;
    this.#settings = settings;
  }

  async take({ known, batch, renew }: Step): Promise<Mark> {
    const { epoch = '', era = 0, offset = 0, link = '' } = known ?? {};
    const name = this.#name;
    const rules = [name, renew ? 1 : 0, this.#settings.maxEntries, this.#removeBefore(), REMEMBER_S];
    const own = [batch?.number ?? 0, ...(batch?.drafts ?? [])];
    const args = [epoch, era, offset, link, ...rules, this.#compares() ? 1 : 0, ...own];
    const [mark, more] = markOf(await this.#run(args.map(String)).catch(refusal));
    if (more) this.#pruneAt = 0;
    if (mark.epoch === name) this.#name = newEpoch();
    return mark;
  }

  async stillHas(known: Mark): Promise<boolean> {
    if (this.#isPruningDue()) return false;
    const { era, offset, link } = known;
    const args = ['xrange', this.#settings.stream, `${era}-${offset}`, `${era}-${offset}`];
    return keptOf(await this.#line.call(this.#settings.stream, args).catch(refusal))[0]?.link === link;
  }

  async #run(args: readonly string[]): Promise<unknown> {
    const { stream, writer, vouched } = this.#settings;
    const rest = ['3', stream, writer, vouched, ...args];
    try {
      return await this.#line.call(stream, ['evalsha', SCRIPT_SHA, ...rest]);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return await this.#line.call(stream, ['eval', SCRIPT, ...rest]);
    }
  }

  #compares(): boolean {
    const now = performance.now();
    if (now < this.#compareAt) return false;
    this.#compareAt = now + COMPARE_MS;
    return true;
  }

  #isPruningDue(): boolean {
    return this.#settings.maxAgeMs !== Number.POSITIVE_INFINITY && Date.now() >= this.#pruneAt;
  }

  #removeBefore(): number {
    if (!this.#isPruningDue()) return 0;
    const { maxAgeMs } = this.#settings;
    const now = Date.now();
    this.#pruneAt = now + Math.min(LONGEST_PRUNE_MS, maxAgeMs);
    return now - maxAgeMs;
  }

  async next({ era, offset }: Mark): Promise<readonly Kept[]> {
    const { client, stream } = this.#settings;
    this.#waiting ??= await Line.open(client).catch(refusal);
    if (this.#ended) this.#waiting.end();
    const line = this.#waiting;
    const how = ['count', String(PAGE_ENTRIES), 'block', String(BLOCK_MS)];
    return firstOwn(`${era}-${offset}`, async (after) =>
      streamOf(await line.call(stream, ['xread', ...how, 'streams', stream, after], BLOCK_MS).catch(refusal)),
    );
  }

  async previous(before?: Mark): Promise<readonly Kept[]> {
    const { stream } = this.#settings;
    return firstOwn(before ? `${before.era}-${before.offset}` : '', (id) => {
      const args = ['xrevrange', stream, id ? `(${id}` : '+', '-', 'count', String(PAGE_ENTRIES)];
      return this.#line.call(stream, args).catch(refusal);
    });
  }

  end(): void {
    this.#ended = true;
    this.#line.end();
    this.#waiting?.end();
  }
}
