import { type RedisJournalOptions, redisJournal } from '../../../lib/journal/redis/index.ts';
import { Recorder } from '../../contract/journal-contract.ts';
import { ioredis } from '../../support/redis.ts';
import { afterwards } from '../../support/server.ts';
import type { Node } from '../nodes.ts';

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
