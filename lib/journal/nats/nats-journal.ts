import { assertNames, type Names } from '../../protocol/names.ts';
import { EngineJournal } from '../engine/engine-journal.ts';
import type { Journal } from '../journal.ts';
import { isWhole, nodeName, refuse } from '../option.ts';
import { connectionOf, type NatsConnection } from './connection.ts';
import { NatsEngine } from './nats-engine.ts';
import { MIN_AGE_MS } from './stream.ts';

export interface NatsJournalOptions {
  /**
   * What `connect` of `@nats-io/transport-node` or of `nats` resolves with. The journal uses it beside the app and never
   * closes it. Connect with `maxReconnectAttempts: -1`: a connection that was given up is not made again.
   */
  connection: NatsConnection;
  /** Processes with the same stream share a journal. It is made if it is not there. @default 'reqcast' */
  stream?: string;
  /** So many of the newest entries are kept, and up to 10000 more. @default 100000 */
  maxEntries?: number;
  /** Entries that are older are removed, in milliseconds, 10000 or more. @default never */
  maxAgeMs?: number;
  /** On so many servers of a cluster the stream is kept: 1, 3 or 5. @default 1 */
  replicas?: number;
  /** The name of this process, on each of its entries. @default host name and process id */
  node?: string;
}

const NAMES: Names<NatsJournalOptions> = {
  connection: true,
  stream: true,
  maxEntries: true,
  maxAgeMs: true,
  replicas: true,
  node: true,
};

/**
 * A journal in a stream of NATS JetStream, for several machines: one order of all entries, and a position of one process
 * counts in each. NATS 2.9 or later with JetStream. While NATS cannot be reached, clients stay connected and entries wait
 * in memory. When the stream lost something, a new epoch begins and clients are told to refresh.
 *
 * @throws ReqcastError `INVALID_OPTION`
 */
export function natsJournal(options: NatsJournalOptions): Journal {
  assertNames('natsJournal', options, NAMES);
  const { stream: name = 'reqcast', maxEntries = 100_000, maxAgeMs, replicas } = options ?? {};
  const node = options?.node ?? nodeName();
  const connection = connectionOf(options?.connection);
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name))
    refuse('natsJournal', 'stream', name, '1 to 64 letters, digits, _ or -');
  if (!isWhole(maxEntries, 1))
    refuse('natsJournal', 'maxEntries', maxEntries, 'a number of entries, 1 or more');
  if (maxAgeMs !== undefined && !isWhole(maxAgeMs, MIN_AGE_MS))
    refuse('natsJournal', 'maxAgeMs', maxAgeMs, `a number of milliseconds, ${MIN_AGE_MS} or more`);
  if (replicas !== undefined && !(isWhole(replicas, 1) && replicas <= 5))
    refuse('natsJournal', 'replicas', replicas, 'a number of servers, 1 to 5');
  if (typeof node !== 'string' || node === '')
    refuse('natsJournal', 'node', node, 'a string that is not empty');
  return new EngineJournal(new NatsEngine(connection, { name, maxEntries, maxAgeMs, replicas }), node);
}
