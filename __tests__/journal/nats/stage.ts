import {
  type NatsConnection,
  type NatsJournalOptions,
  natsJournal,
} from '../../../lib/journal/nats/index.ts';
import { Recorder } from '../../contract/journal-contract.ts';
import { connectNats } from '../../support/nats.ts';
import { afterwards } from '../../support/server.ts';
import type { Node } from '../nodes.ts';

/** With the connection that it has. */
export interface NatsNode extends Node {
  readonly connection: NatsConnection;
}

/** Not open yet; closed after the test. */
export async function prepareNode(
  port: number,
  options: Partial<NatsJournalOptions> = {},
): Promise<NatsNode> {
  const connection = options.connection ?? (await connectNats(port));
  const journal = natsJournal({ ...options, connection });
  afterwards(() => journal.close());
  return { journal, sink: new Recorder(), connection };
}

export async function startNode(port: number, options?: Partial<NatsJournalOptions>): Promise<NatsNode> {
  const node = await prepareNode(port, options);
  await node.journal.open(node.sink, 10_000);
  return node;
}
