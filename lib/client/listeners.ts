import { topicsOf } from '../protocol/matcher.ts';
import type { Notification } from '../protocol/notification.ts';
import { attempt } from './attempt.ts';

export interface ListenOptions {
  /** Its abort is the undo. */
  signal?: AbortSignal;
  /** False: not called with `replay: 'changed'` or `'resync'`. @default true */
  replay?: boolean;
  /**
   * False: not called with what this page's own requests caused, as far as they carry `live.headers()`. Where the
   * page cannot tell, as in insecure contexts, it is called. @default true
   */
  own?: boolean;
}

export interface Registration extends ListenOptions {
  readonly pattern: string;
  readonly topics: RegExp;
  /** Registered twice on a pattern, called once. */
  readonly listener: (value: never) => void;
  /** Called with the topic alone. */
  readonly plain: boolean;
  /** The page's URL at which alone it listens. */
  readonly href: string | false | undefined;
  readonly off: () => void;
}

/** The listeners of a page. */
export type Listeners = Set<Registration>;

/** What the server must know. */
export const patternsOf = (all: Listeners) =>
  new Set([...all].map((one) => one.pattern).filter((pattern) => pattern.includes(':')));

/** Takes out what was meant for another URL than the page's present one. */
export function prune(all: Listeners): void {
  for (const { href, off } of all) if (href && href !== location.href) off();
}

/** `say` is told `+pattern` for a pattern's first listener and `-pattern` after its last. */
export function listen(
  all: Listeners,
  say: (line: string) => void,
  pattern: string,
  listener: Registration['listener'],
  options: ListenOptions = {},
  plain = pattern === 'state',
  href?: string | false,
): () => void {
  // The two page-wide names, and what `assertPattern` takes but for its rarest cases.
  if (!/^(state|resync|(\*|[A-Z][A-Z\d-]*):(\/([^*/\s]*|\*|\*\*$))+)$/.test(pattern))
    throw new Error(`reqcast: bad pattern ${pattern}`);
  prune(all);
  const off = () => {
    if (all.delete(one) && !patternsOf(all).has(pattern)) say(`-${pattern}`);
  };
  const one = { ...options, pattern, topics: topicsOf(pattern), listener, plain, href, off };
  if (options.signal?.aborted) return off;
  options.signal?.addEventListener('abort', off);
  if (!patternsOf(all).has(pattern)) say(`+${pattern}`);
  all.add(one);
  return off;
}

/**
 * Calls each that listens now for the topic, or all but those for the state, with their pattern for a topic; except
 * those `called`.
 */
export function call(
  all: Listeners,
  name: string | undefined,
  said: Partial<Notification>,
  called: Registration[] = [],
): void {
  prune(all);
  for (const one of [...all]) {
    if (
      all.has(one) &&
      (name ? one.topics.test(name) : one.pattern !== 'state') &&
      !(said.replay && one.replay === false) &&
      !(said.own && one.own === false) &&
      !called.some((other) => other.pattern === one.pattern && other.listener === one.listener)
    ) {
      called.push(one);
      const value = { topic: one.pattern, ...said };
      attempt(one.listener, (one.plain ? value.topic : value) as never);
    }
  }
}
