import type { Journal } from '../../lib/journal/journal.ts';
import { draft, type Recorder } from '../contract/journal-contract.ts';
import { until } from '../support/server.ts';

/** A process of several, as the journal that they share sees it. */
export interface Node {
  readonly journal: Journal;
  readonly sink: Recorder;
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
