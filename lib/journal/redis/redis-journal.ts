import { randomBytes } from 'node:crypto';
import { assertNames, type Names } from '../../protocol/names.ts';
import { EngineJournal } from '../engine/engine-journal.ts';
import type { Journal } from '../journal.ts';
import { isWhole, nodeName, refuse } from '../option.ts';
import { assertClient, type RedisClient } from './client.ts';
import { RedisEngine } from './redis-engine.ts';

export interface RedisJournalOptions {
  /**
   * A client of `ioredis` (`Redis`, `Cluster`) or of `redis` (`createClient`, `createCluster`), connected or not. The
   * journal opens two connections of its own with its settings; it neither uses nor closes the client itself.
   */
  client: RedisClient;
  /** Processes with the same key share a journal. Redis's keys are `{key}:…`, so that a cluster keeps them together. @default 'reqcast' */
  key?: string;
  /** About so many of the newest entries are kept. @default 100000 */
  maxEntries?: number;
  /** Entries that are older are removed, in milliseconds; the newest one stays until there is another. @default never */
  maxAgeMs?: number;
  /** The name of this process, on each of its entries. @default host name and process id */
  node?: string;
}

const NAMES: Names<RedisJournalOptions> = {
  client: true,
  key: true,
  maxEntries: true,
  maxAgeMs: true,
  node: true,
};

/**
 * A journal in a stream of Redis, for several machines: one order of all entries, and a position of one process counts in
 * each. Redis 6.2 or later, or Valkey; a cluster too. While Redis cannot be reached, clients stay connected and entries
 * wait in memory. When Redis lost something, or was restarted while no process ran that could tell, a new epoch begins and
 * clients are told to refresh. For the latter the client's user has to be allowed `INFO`.
 *
 * @throws ReqcastError `INVALID_OPTION`
 */
export function redisJournal(options: RedisJournalOptions): Journal {
  assertNames('redisJournal', options, NAMES);
  const {
    client,
    key = 'reqcast',
    maxEntries = 100_000,
    maxAgeMs = Number.POSITIVE_INFINITY,
  } = options ?? {};
  const node = options?.node ?? nodeName();
  assertClient(client);
  if (typeof key !== 'string' || key === '') refuse('redisJournal', 'key', key, 'a string that is not empty');
  if (!isWhole(maxEntries))
    refuse('redisJournal', 'maxEntries', maxEntries, 'a number of entries, 1 or more');
  if (maxAgeMs !== Number.POSITIVE_INFINITY && !isWhole(maxAgeMs))
    refuse('redisJournal', 'maxAgeMs', maxAgeMs, 'a number of milliseconds, 1 or more');
  if (typeof node !== 'string' || node === '')
    refuse('redisJournal', 'node', node, 'a string that is not empty');
  const tagged = /\{[^}]+\}/.test(key) ? key : `{${key}}`;
  const keys = {
    stream: `${tagged}:entries`,
    writer: `${tagged}:writer:${randomBytes(9).toString('base64url')}`,
    vouched: `${tagged}:run`,
  };
  return new EngineJournal(new RedisEngine({ client, ...keys, maxEntries, maxAgeMs }), node);
}
