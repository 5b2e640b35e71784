/** Does it. What it throws is reported as uncaught, and what comes after goes on. */
export function attempt(act: () => void): void {
  try {
    act();
  } catch (fault) {
    queueMicrotask(() => {
      throw fault;
    });
  }
}
