import type { Kept, Mark } from '../engine/engine.ts';

/** What the script gives, and whether there was more to remove than it did. */
export function markOf(reply: unknown): [Mark, boolean] {
  const [epoch, id, link, more] = reply as [string, string, string, number];
  return [{ epoch: String(epoch), ...placeOf(String(id)), link: String(link) }, Number(more) === 1];
}

/** The entries of the one stream that was read; a map in RESP3, a list of pairs before. */
export function streamOf(reply: unknown): unknown {
  if (reply === null || reply === undefined) return [];
  if (Array.isArray(reply)) return Array.isArray(reply[0]) ? reply[0][1] : reply[1];
  return reply instanceof Map ? [...reply.values()][0] : Object.values(reply)[0];
}

/** The entries of a stream's range. What somebody else put there is left out. */
export function keptOf(reply: unknown): Kept[] {
  return (reply as [unknown, unknown][]).flatMap(([id, values]) => {
    const { epoch, link, after, entry } = fieldsOf(values);
    if (epoch === undefined || link === undefined || entry === undefined) return [];
    return [{ epoch, ...placeOf(String(id)), link, after, ...(entry !== '' && { json: entry }) }];
  });
}

/** The entries of the first page that has any, or of the last one. Somebody else may have filled the others. */
export async function firstOwn(from: string, page: (from: string) => Promise<unknown>): Promise<Kept[]> {
  for (let next = from; ; ) {
    const entries = (await page(next)) as [unknown, unknown][];
    const last = entries.at(-1);
    const kepts = keptOf(entries);
    if (!last || kepts.length > 0) return kepts;
    next = String(last[0]);
  }
}

function placeOf(id: string): { era: number; offset: number } {
  const [era, offset] = id.split('-');
  return { era: Number(era), offset: Number(offset) };
}

function fieldsOf(values: unknown): { [name: string]: string | undefined } {
  const fields: { [name: string]: string } = {};
  const list = values as unknown[];
  for (let i = 0; i + 1 < list.length; i += 2) fields[String(list[i])] = String(list[i + 1]);
  return fields;
}
