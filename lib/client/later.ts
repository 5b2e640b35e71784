/** As setTimeout, and in Node it does not keep the process alive. */
export function later(act: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(act, ms);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
