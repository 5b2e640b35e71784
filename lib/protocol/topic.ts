import { ReqcastError, textOf } from './errors.ts';

/** Longest topic and longest pattern, in UTF-16 code units: room for any real path, too short to abuse. */
export const MAX_TOPIC_LENGTH = 512;

/** A method is a token of upper-case letters, digits and hyphens; a path has no white space and no control characters. */
const SHAPE = /^[A-Z][A-Z0-9-]*:\/[^\s\p{Cc}]*$/u;

/** Says why `topic` is not `METHOD:/path`, or nothing if it is. */
export function topicProblem(topic: unknown): string | undefined {
  if (typeof topic !== 'string') return 'it is not a string';
  if (topic.length > MAX_TOPIC_LENGTH) return `it is longer than ${MAX_TOPIC_LENGTH} characters`;
  if (topic.includes('//EOM//')) return 'it contains "//EOM//", which ends a topic on the UNIX socket';
  if (!SHAPE.test(topic)) return 'it is not METHOD:/path without white space or control characters';
  // A lone surrogate has no UTF-8 form, so the topic would arrive as another one.
  if (/\p{Surrogate}/u.test(topic)) return 'it contains half of a surrogate pair';
  return undefined;
}

/** @throws ReqcastError `INVALID_TOPIC` */
export function assertTopic(topic: unknown): asserts topic is string {
  const problem = topicProblem(topic);
  if (problem === undefined) return;
  const shown = typeof topic === 'string' ? JSON.stringify(topic.slice(0, 80)) : textOf(topic);
  throw new ReqcastError(
    'INVALID_TOPIC',
    `Topic ${shown} is refused: ${problem}. Use e.g. "POST:/ginger/users".`,
  );
}
