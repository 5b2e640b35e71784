import type { Entry } from './entry.ts';
import { type Query, runQuery } from './query.ts';

/**
 * What a journal of your own gives for a query.
 *
 * @param newestFirst gives all its entries; called when the first one is asked for
 * @throws ReqcastError `INVALID_QUERY` or `INVALID_PATTERN`, at the call
 */
export function queryEntries(
  query: Query,
  newestFirst: () => AsyncIterable<Entry> | Iterable<Entry>,
): AsyncIterable<Entry> {
  return runQuery(query, () => oneByOne(newestFirst));
}

async function* oneByOne(newestFirst: () => AsyncIterable<Entry> | Iterable<Entry>): AsyncGenerator<Entry[]> {
  for await (const entry of newestFirst()) yield [entry];
}
