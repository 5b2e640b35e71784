/** Hands `value` over. What is thrown then is reported as uncaught, and what comes after goes on. */
export function attempt<T>(act: (value: T) => void, value: T): void {
  try {
    act(value);
  } catch (fault) {
    queueMicrotask(() => {
      throw fault;
    });
  }
}
