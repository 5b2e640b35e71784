import { topicProblem } from '../protocol/topic.ts';
import { CLIENT_MARK } from '../protocol/wire.ts';
import type { Entry } from './entry.ts';

/** How each line begins. What does not begin so was not written by us. */
export const LINE_START = '{"epoch":"';

/** No entry comes near; what is longer is not held in memory to find out what it is. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** One line of the file, read. */
export interface Line {
  readonly epoch: string;
  readonly entry: Entry;
}

/** @param draft the entry without its offset, as a JSON object */
export function formatLine(epoch: string, offset: number, draft: string): string {
  return `${linePrefix(epoch, offset)}${draft.slice(1)}\n`;
}

/** A line up to the draft, which follows without its brace. ASCII. */
export function linePrefix(epoch: string, offset: number): string {
  return `${LINE_START}${epoch}","offset":${offset},`;
}

/** What the line says, or nothing if it is not an entry. */
export function parseLine(line: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { epoch, ...entry } = value;
  if (typeof epoch !== 'string' || !/^[\w-]{1,64}$/.test(epoch) || !isEntry(entry)) return undefined;
  return { epoch, entry: entry as unknown as Entry };
}

/** What is repeated to subscribers is held to the same rules as when it came from the app. */
export function isEntry({
  offset,
  time,
  topic,
  audience,
  client,
  node,
  origin,
  request,
}: {
  [name: string]: unknown;
}): boolean {
  return (
    Number.isSafeInteger(offset) &&
    (offset as number) > 0 &&
    typeof time === 'number' &&
    (topic === undefined || topicProblem(topic) === undefined) &&
    // An audience that cannot be read must not become "everyone".
    (audience === undefined ||
      (Array.isArray(audience) && audience.every((name) => typeof name === 'string'))) &&
    (client === undefined || (typeof client === 'string' && CLIENT_MARK.test(client))) &&
    (node === undefined || typeof node === 'string') &&
    (origin === undefined || typeof origin === 'string') &&
    (request === undefined || isRequest(request))
  );
}

function isRequest(value: unknown): boolean {
  return (
    isObject(value) &&
    ['id', 'method', 'url', 'message'].every((name) => typeof value[name] === 'string') &&
    (value.topic === undefined || typeof value.topic === 'string')
  );
}

export function isObject(value: unknown): value is { [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
