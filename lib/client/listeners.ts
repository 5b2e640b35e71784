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

/** What the client itself adds to the options. */
interface Internals {
  /** Called with the topic alone. */
  plain?: boolean;
  /** The page's URL at which alone it listens. */
  href?: string | false | undefined;
}

/** Whom a notification called already, by pattern: registered twice on a pattern, called once. */
export type Called = Record<string, Set<(value: never) => void>>;

/**
 * Calls a listener, if it still listens, for what is named, or for all but the state, with its pattern for a topic. With
 * nothing said, only takes itself out if it was meant for another URL than the page's present one.
 */
type Registration = (
  name: string | undefined,
  said: Partial<Notification> | undefined,
  called: Called,
) => void;

/** The listeners of a page, with what the server is told of each. */
export type Listeners = Map<Registration, string>;

/** Calls each that listens now, except those `called`. */
export function call(all: Listeners, name?: string, said?: Partial<Notification>, called: Called = {}): void {
  for (const hear of [...all.keys()]) hear(name, said, called);
}

/** `change` is called when one begins or ends. */
export function listen(
  all: Listeners,
  change: () => void,
  pattern: string,
  listener: (value: never) => void,
  { signal, replay = true, own = true, plain = pattern === 'state', href }: ListenOptions & Internals = {},
): () => void {
  // The two page-wide names, and what `assertPattern` takes but for its rarest cases.
  if (!/^(state|resync|(\*|[A-Z][A-Z\d-]*):(\/(\*\*$|\*|[^*/\s]*))+)$/.test(pattern))
    throw new Error(`reqcast: bad pattern ${pattern}`);
  const topics = topicsOf(pattern);
  const off = () => {
    if (all.delete(hear)) change();
  };
  const hear: Registration = (name, said, called) => {
    if (href && href !== location.href) off();
    if (
      !said ||
      !all.has(hear) ||
      (name ? !topics.test(name) : pattern === 'state') ||
      (said.replay && !replay) ||
      (said.own && !own) ||
      called[pattern]?.has(listener)
    )
      return;
    called[pattern] = new Set(called[pattern]).add(listener);
    const value = { topic: pattern, ...said };
    attempt(listener, (plain ? value.topic : value) as never);
  };
  call(all);
  if (signal?.aborted) return off;
  signal?.addEventListener('abort', off);
  all.set(hear, pattern.includes(':') ? `\n+${pattern}` : '');
  change();
  return off;
}
