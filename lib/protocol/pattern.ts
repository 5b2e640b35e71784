import { ReqcastError, textOf } from './errors.ts';
import { topicsOf } from './matcher.ts';
import { topicProblem } from './topic.ts';

/** True for the topics that a pattern names. */
export type Matcher = (topic: string) => boolean;

/**
 * Compiles a pattern: a topic in which `*` stands for one whole segment or for any method, and a last `**` for all
 * that follows, nothing included: `*:/ginger/**` matches `POST:/ginger` and `DELETE:/ginger/users/7`.
 *
 * @throws ReqcastError `INVALID_PATTERN`
 */
export function compilePattern(pattern: string): Matcher {
  assertPattern(pattern);
  const topics = topicsOf(pattern);
  return (topic) => topics.test(topic);
}

/** @throws ReqcastError `INVALID_PATTERN` */
export function assertPattern(pattern: unknown): asserts pattern is string {
  const problem = patternProblem(pattern);
  if (problem === undefined) return;
  const shown = typeof pattern === 'string' ? JSON.stringify(pattern.slice(0, 80)) : textOf(pattern);
  throw new ReqcastError(
    'INVALID_PATTERN',
    `Pattern ${shown} is refused: ${problem}. Use e.g. "POST:/ginger/users", "*:/ginger/**" or, for all, "*:/**".`,
  );
}

function patternProblem(pattern: unknown): string | undefined {
  const problem = topicProblem(typeof pattern === 'string' ? pattern.replace(/^\*:/, 'ANY:') : pattern);
  if (problem !== undefined) return problem;
  const segments = (pattern as string).slice((pattern as string).indexOf(':') + 2).split('/');
  const last = segments.length - 1;
  if (segments.some((s, i) => s.includes('*') && s !== '*' && !(s === '**' && i === last)))
    return '"*" stands for a whole segment, and "**" for all that follows at the end';
  return undefined;
}
