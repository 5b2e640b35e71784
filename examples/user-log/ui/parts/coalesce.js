/** A burst of announcements asks the server so often at most. */
const GAP_MS = 100;

/** Runs `act` at once, and once more afterwards if it was asked for meanwhile: however often that was. */
export function coalesce(act) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await act();
      if (again) await new Promise((passed) => setTimeout(passed, GAP_MS));
    }
    running = false;
  };
}
