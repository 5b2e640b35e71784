/** The page that Jest makes has no such method. */
type Timing = { getEntriesByType?(type: 'navigation'): PerformanceNavigationTiming[] };

/** Where the journal was when the server answered with this page. */
export function loadedAt(): string | undefined {
  return (performance as unknown as Timing)
    .getEntriesByType?.('navigation')[0]
    ?.serverTiming?.find((metric) => metric.name === 'reqcast')?.description;
}

type Watched = Pick<EventTarget, 'addEventListener'>;

/**
 * Watches the page until the signal; where there is none, as in Node, does nothing.
 * @param moved the URL is another one
 * @param woke somebody looks at the page, or it is thawed, back or online again
 * @param left the page goes; the browser may keep it and bring it back as it is
 */
export function watchPage(moved: () => void, woke: () => void, left: () => void, signal: AbortSignal): void {
  // On the way down the window sees what happens to its document too.
  const options = { signal, capture: true };
  const acts: Record<string, () => void> = {
    hashchange: moved,
    popstate: moved,
    visibilitychange: woke,
    resume: woke,
    pageshow: woke,
    online: woke,
    pagehide: left,
  };
  for (const name in acts) globalThis.addEventListener?.(name, acts[name] as () => void, options);
  (globalThis as { navigation?: Watched }).navigation?.addEventListener('currententrychange', moved, options);
}
