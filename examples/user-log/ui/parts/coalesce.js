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
    }
    running = false;
  };
}
