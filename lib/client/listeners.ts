import { type Matcher, matcherOf } from '../protocol/matcher.ts';
import type { Notification } from '../protocol/notification.ts';
import { attempt } from './attempt.ts';

export interface ListenOptions {
  /** Its abort is the undo. */
  signal?: AbortSignal;
  /** False: not called with `replay: 'changed'` or `'resync'`. @default true */
  replay?: boolean;
}

export interface Registration {
  readonly pattern: string;
  readonly matches: Matcher;
  /** Registered twice on a pattern, called once. */
  readonly listener: (value: never) => void;
  /** Called with the topic alone. */
  readonly plain: boolean | undefined;
  /** Wants `changed` and `resync` too. */
  readonly replays: boolean;
  /** The page's URL at which alone it listens. */
  readonly href: string | undefined;
  readonly off: () => void;
}

/** The two page-wide names, and what `assertPattern` takes but for its rarest cases. */
const NAME = /^(state|resync|(\*|[A-Z][A-Z\d-]*):(\/([^*/\s]*|\*|\*\*$))+)$/;

/** The listeners of a page. `say` is told `+pattern` for a pattern's first listener and `-pattern` after its last. */
export function pageListeners(say: (line: string) => void) {
  const all = new Set<Registration>();

  /** What the server must know: the page-wide names have no colon. */
  const patterns = () => new Set([...all].flatMap(({ pattern }) => (pattern.includes(':') ? pattern : [])));

  /** Says what an act changes for a pattern. */
  function change(pattern: string, act: () => void): void {
    const before = patterns().has(pattern);
    act();
    const after = patterns().has(pattern);
    if (before !== after) say((after ? '+' : '-') + pattern);
  }

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
      { signal, replay: replays = true }: ListenOptions = {},
      plain?: boolean,
      href?: string,
    ): () => void {
      if (!NAME.test(pattern)) throw new Error(`reqcast: bad pattern ${pattern}`);
      prune();
      const off = () => change(pattern, () => all.delete(registration));
      const registration = { pattern, matches: matcherOf(pattern), listener, plain, replays, href, off };
      if (signal?.aborted) return off;
      signal?.addEventListener('abort', off);
      change(pattern, () => all.add(registration));
      return off;
    },

    /** Calls each that listens now with what `valueFor` has for it, except those `called`. */
    each(valueFor: (registration: Registration) => unknown, called: Registration[] = []): void {
      prune();
      for (const registration of [...all]) {
        const { pattern, listener, plain } = registration;
        const value = all.has(registration) && (valueFor(registration) as Notification);
        if (!value || called.some((other) => other.pattern === pattern && other.listener === listener))
          continue;
        called.push(registration);
        attempt(() => listener((plain ? value.topic : value) as never));
      }
    },
  };
}
