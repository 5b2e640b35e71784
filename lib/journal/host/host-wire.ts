import { copyAudience } from '../../protocol/audience.ts';
import { type ErrorCode, ReqcastError } from '../../protocol/errors.ts';
import type { Position } from '../../protocol/position.ts';
import { assertTopic } from '../../protocol/topic.ts';
import type { Draft } from '../entry.ts';
import { isEntry, isObject, LINE_START, type Line, parseLine } from '../line.ts';
import type { Query } from '../query.ts';

/** As for `notify`: it says what changed, it is not the change. */
const MAX_DATA_LENGTH = 65_536;

const PUBLISHED = ['topic', 'data', 'audience', 'node'];
const NAME = /^[\w-]{1,64}$/;

/** What is said to the owner, one line each. See PROTOCOL.md, "The host socket". */
export type GuestLine =
  | { readonly kind: 'publish'; readonly draft: Draft }
  | { readonly kind: 'stream'; readonly since?: Position; readonly history: number; readonly from?: string }
  /** Without a draft if it is none. */
  | { readonly kind: 'append'; readonly draft?: Draft; readonly seq: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'query'; readonly query: Query };

/** What the owner says, one line each. */
export type OwnerLine =
  | { readonly kind: 'entry'; readonly line: Line }
  | { readonly kind: 'start'; readonly start: Start }
  | { readonly kind: 'beat'; readonly beat: Beat }
  | { readonly kind: 'error'; readonly code: ErrorCode; readonly message: string };

/** How a stream starts, or starts anew. */
export interface Start {
  /** The position before the entry that comes next. */
  readonly at: Position;
  /** That is not where the reader was: another history, or too far behind. */
  readonly anew: boolean;
  /** How far the journal has come. */
  readonly head: number;
  /** The number of the reader's newest draft that was accepted. */
  readonly accepted: number;
  /** The same of what is in the journal. */
  readonly stored: number;
}

/** That the owner lives, and how its journal is. */
export interface Beat {
  readonly connected: boolean;
  /** The number of the reader's newest draft that was accepted; absent while entries wait. */
  readonly accepted?: number;
}

/** @throws ReqcastError that says what is wrong with the line */
export function parseGuestLine(text: string): GuestLine {
  const line = parseJson(text);
  if (!isObject(line)) throw invalid('a line is not a JSON object');
  if ('topic' in line) return parsePublish(line);
  if ('since' in line) return parseStream(line);
  if ('append' in line) return parseAppend(line);
  if ('query' in line && isObject(line.query)) return { kind: 'query', query: line.query };
  if ('lost' in line) return { kind: 'lost' };
  throw invalid('a line has neither "topic" nor "since" nor "query"');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`a line is not JSON: ${(cause as Error).message}`);
  }
}

function parsePublish(line: Record<string, unknown>): GuestLine {
  const { topic, data, node = 'external' } = line;
  assertTopic(topic);
  // A misspelt audience must not become "everyone".
  const unknown = Object.keys(line).find((name) => !PUBLISHED.includes(name));
  if (unknown !== undefined) throw invalid(`${JSON.stringify(unknown)} is none of ${PUBLISHED.join(', ')}`);
  if (typeof node !== 'string') throw invalid('node is not a string');
  if (data !== undefined && JSON.stringify(data).length > MAX_DATA_LENGTH)
    throw invalid(`data has more than ${MAX_DATA_LENGTH} characters of JSON`);
  const audience = copyAudience(line.audience);
  const given = { ...(data !== undefined && { data }), ...(audience && { audience }) };
  return { kind: 'publish', draft: { time: Date.now(), topic, ...given, node } };
}

function parseStream({ since, history = 0, from }: Record<string, unknown>): GuestLine {
  if (since !== null && !isPosition(since)) throw invalid('since is neither null nor a position');
  if (!isCount(history)) throw invalid('history is not a whole number');
  if (from !== undefined && !(typeof from === 'string' && NAME.test(from)))
    throw invalid('from is not 1 to 64 of A-Z a-z 0-9 _ -');
  return { kind: 'stream', ...(since && { since }), history, ...(from !== undefined && { from }) };
}

function parseAppend({ append, seq }: Record<string, unknown>): GuestLine {
  if (!isCount(seq)) throw invalid('append comes without a seq');
  // Which place an entry has in which history, the owner's journal says.
  const isDraft =
    isObject(append) && !('offset' in append || 'epoch' in append) && isEntry({ ...append, offset: 1 });
  return { kind: 'append', ...(isDraft && { draft: append as unknown as Draft }), seq };
}

/** What the line says, or nothing if it says nothing known. */
export function parseOwnerLine(text: string): OwnerLine | undefined {
  if (text.startsWith(LINE_START)) {
    const line = parseLine(text);
    return line && { kind: 'entry', line };
  }
  const line = parseJson(text);
  if (!isObject(line)) return undefined;
  const at = line.reset ?? line.resume;
  if (isPosition(at)) {
    const [head, accepted, stored] = [line.head, line.accepted ?? 0, line.stored ?? 0];
    if (!isCount(head) || !isCount(accepted) || !isCount(stored)) return undefined;
    return { kind: 'start', start: { at, anew: 'reset' in line, head, accepted, stored } };
  }
  if ('beat' in line) {
    const accepted = isCount(line.accepted) ? line.accepted : undefined;
    return { kind: 'beat', beat: { connected: line.connected === true, ...(accepted && { accepted }) } };
  }
  if (!isObject(line.error)) return undefined;
  return { kind: 'error', code: line.error.code as ErrorCode, message: String(line.error.message) };
}

export function startLine({ at, anew, ...rest }: Start): string {
  return jsonLine({ [anew ? 'reset' : 'resume']: at, ...rest });
}

export function beatLine(beat: Beat): string {
  return jsonLine({ beat: Date.now(), ...beat });
}

export function errorLine({ code, message }: ReqcastError): string {
  return jsonLine({ error: { code, message } });
}

/** Any other line. */
export function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function isPosition(value: unknown): value is Position {
  return (
    isObject(value) && typeof value.epoch === 'string' && NAME.test(value.epoch) && isCount(value.offset)
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function invalid(message: string): ReqcastError {
  return new ReqcastError('INVALID_DATA', message);
}
