import type { Journal } from '../../../lib/journal/journal.ts';
import { type RedisJournalOptions, redisJournal } from '../../../lib/journal/redis/index.ts';
import { Recorder } from '../../contract/journal-contract.ts';
import { ioredis } from '../../support/redis.ts';
import { afterwards } from '../../support/server.ts';

/** A process of several, as the journal sees it. */
export interface Node {
  readonly journal: Journal;
  readonly sink: Recorder;
}

/** Not open yet; closed after the test. */
export function prepareNode(port: number, options: Partial<RedisJournalOptions> = {}): Node {
  const journal = redisJournal({ client: ioredis(port), ...options });
  afterwards(() => journal.close());
  return { journal, sink: new Recorder() };
}

export async function startNode(port: number, options?: Partial<RedisJournalOptions>): Promise<Node> {
  const node = prepareNode(port, options);
  await node.journal.open(node.sink, 10_000);
  return node;
}

/** The epoch that it is in. */
export const epochOf = ({ sink }: Node) => sink.resets.at(-1)?.epoch;
