import type { Journal } from '../../../lib/journal/journal.ts';
import {
  type NatsConnection,
  type NatsJournalOptions,
  natsJournal,
} from '../../../lib/journal/nats/index.ts';
import { draft, Recorder } from '../../contract/journal-contract.ts';
import { connectNats } from '../../support/nats.ts';
import { afterwards, until } from '../../support/server.ts';

/** A process of several, as the journal sees it. */
export interface Node {
  readonly journal: Journal;
  readonly sink: Recorder;
  readonly connection: NatsConnection;
}

/** Not open yet; closed after the test. */
export async function prepareNode(port: number, options: Partial<NatsJournalOptions> = {}): Promise<Node> {
  const connection = options.connection ?? (await connectNats(port));
  const journal = natsJournal({ ...options, connection });
  afterwards(() => journal.close());
  return { journal, sink: new Recorder(), connection };
}

export async function startNode(port: number, options?: Partial<NatsJournalOptions>): Promise<Node> {
  const node = await prepareNode(port, options);
  await node.journal.open(node.sink, 10_000);
  return node;
}

/** The epoch that it is in. */
export const epochOf = ({ sink }: Node) => sink.resets.at(-1)?.epoch;

export async function append(node: Node, name: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) node.journal.append(draft(`POST:/${name}/${i}`));
  await node.journal.flush();
}

/** The same, and all nodes know them. */
export async function spread(nodes: readonly Node[], count: number): Promise<void> {
  await append(nodes[0] as Node, 'a', count);
  await until(() => nodes.every(({ sink }) => sink.entries.length === count));
}

/** What a node has delivered since its last reset. */
export function sinceReset({ sink }: Node): number[] {
  return sink.calls.slice(sink.calls.lastIndexOf('reset') + 1) as number[];
}

/** Resolves when the nodes are in one new epoch. */
export async function renewed(nodes: readonly Node[], old: string | undefined): Promise<void> {
  const [first] = nodes as readonly [Node];
  await until(() => nodes.every((node) => epochOf(node) !== old && epochOf(node) === epochOf(first)));
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
