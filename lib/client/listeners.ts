import { type Matcher, matcherOf } from '../protocol/matcher.ts';
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

export interface Registration {
  readonly pattern: string;
  readonly matches: Matcher;
  /** Registered twice on a pattern, called once. */
  readonly listener: (value: never) => void;
  readonly options: ListenOptions;
  /** Called with the topic alone. */
  readonly plain: boolean | undefined;
  /** The page's URL at which alone it listens. */
  readonly href: string | undefined;
  readonly off: () => void;
}

/** The two page-wide names, and what `assertPattern` takes but for its rarest cases. */
const NAME = /^(state|resync|(\*|[A-Z][A-Z\d-]*):(\/([^*/\s]*|\*|\*\*$))+)$/;

/** The listeners of a page. `say` is told `+pattern` for a pattern's first listener and `-pattern` after its last. */
export function pageListeners(say: (line: string) => void) {
  const all = new Set<Registration>();

  /** What the server must know. */
  const patterns = () =>
    new Set([...all].map((one) => one.pattern).filter((pattern) => pattern.includes(':')));

  /** Takes out what was meant for another URL than the page's present one. */
  function prune(): void {
    for (const { href, off } of all) if (href && href !== location.href) off();
  }

  return {
    all,
    patterns,
    prune,

    add(
      pattern: string,
      listener: Registration['listener'],
      options: ListenOptions = {},
      plain?: boolean,
      href?: string,
    ): () => void {
      if (!NAME.test(pattern)) throw new Error(`reqcast: bad pattern ${pattern}`);
      prune();
      const off = () => {
        if (all.delete(registration) && !patterns().has(pattern)) say(`-${pattern}`);
      };
      const registration = { pattern, matches: matcherOf(pattern), listener, options, plain, href, off };
      if (options.signal?.aborted) return off;
      options.signal?.addEventListener('abort', off);
      if (!patterns().has(pattern)) say(`+${pattern}`);
      all.add(registration);
      return off;
    },

    /**
     * Calls each that listens now for the topic, or all but those for the state, with what `valueFor` has for its
     * pattern; except those `called`.
     */
    each(
      topic: string | undefined,
      valueFor: (pattern: string) => unknown,
      called: Registration[] = [],
    ): void {
      prune();
      for (const one of [...all]) {
        const value = valueFor(one.pattern) as Notification;
        if (
          all.has(one) &&
          (topic ? one.matches(topic) : one.pattern !== 'state') &&
          !(value.replay && one.options.replay === false) &&
          !(value.own && one.options.own === false) &&
          !called.some((other) => other.pattern === one.pattern && other.listener === one.listener)
        ) {
          called.push(one);
          attempt(one.listener, (one.plain ? topic : value) as never);
        }
      }
    },
  };
}
