import { parse } from 'regexparam';
import { ReqcastError, textOf } from '../protocol/errors.ts';
import { decoded } from './redact.ts';

/** What a request's URL says: its topic, and the named parts that the topic leaves out. */
export interface Routed {
  readonly topic: string;
  readonly data?: Readonly<Record<string, string>>;
}

export type Router = (method: string, url: string) => Routed;

/**
 * From URL patterns and topic templates, the first match counts. A part that the URL lacks is left out of the topic
 * with its segment. A URL that no pattern matches is announced as it is.
 *
 * @throws ReqcastError `INVALID_OPTION` for what is no pattern or template, or a template that names a part its pattern has not
 */
export function router(routes: Readonly<Record<string, string>> = {}): Router {
  const compiled = Object.entries(routes).map(([pattern, template]) => compile(pattern, template));
  return (method, url) => {
    const path = pathOf(url);
    for (const route of compiled) {
      const routed = route(method, path);
      if (routed) return routed;
    }
    return { topic: `${method}:${path}` };
  };
}

/** A pattern that nothing matches, such as one with a method before it, would go unnoticed. */
function assertRoute(pattern: string, template: unknown): void {
  if (!pattern.startsWith('/'))
    throw new ReqcastError(
      'INVALID_OPTION',
      `Option routes has the pattern ${pattern}; it must be a path that begins with "/", for all methods.`,
    );
  if (typeof template !== 'string' || !template.includes('/'))
    throw new ReqcastError(
      'INVALID_OPTION',
      `Option routes maps ${pattern} to ${textOf(template)}; it must be a path, such as "/:plugin/:entity".`,
    );
}

function compile(pattern: string, template: string): (method: string, path: string) => Routed | undefined {
  assertRoute(pattern, template);
  const { keys, pattern: expression } = parse(pattern);
  const path = template.slice(template.indexOf('/'));
  const fixedMethod = template.slice(0, template.indexOf('/'));
  const segments = path.split('/').slice(1);
  for (const name of segments.filter((segment) => segment.startsWith(':')).map((segment) => segment.slice(1)))
    if (!keys.includes(name))
      throw new ReqcastError(
        'INVALID_OPTION',
        `Option routes maps ${pattern} to ${template}, but ":${name}" is not in the pattern. Name it there or leave it out.`,
      );
  const left = keys.filter((key) => !segments.includes(`:${key}`));
  return (method, url) => {
    const match = expression.exec(url);
    if (!match) return undefined;
    const parts = new Map(keys.map((key, i) => [key, match[i + 1]]));
    const filled = segments.flatMap((segment) =>
      segment.startsWith(':') ? (parts.get(segment.slice(1)) ?? []) : segment,
    );
    const data = left.flatMap((key) => {
      const value = parts.get(key);
      return value === undefined ? [] : [[key, decoded(value)] as const];
    });
    const topic = `${fixedMethod || `${method}:`}/${filled.join('/')}`;
    return data.length > 0 ? { topic, data: Object.fromEntries(data) } : { topic };
  };
}

/** The path of a request target, in origin or absolute form (RFC 9112, 3.2), without query and last slash. */
function pathOf(url: string): string {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  if (path.length > 1 && path.endsWith('/')) return path.slice(0, -1);
  return path || '/';
}
