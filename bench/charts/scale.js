/** Beyond this factor between the least and the most a straight axis would press the least onto the ground. */
const WIDE = 15;

/** An axis for these values from `start` to `end`: straight from zero, or logarithmic where they lie far apart. */
export function scale(values, start, end, wide = WIDE) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least > 0 && most / least > wide) return logarithmic(least, most, start, end);
  const top = most || 1;
  return { at: (value) => start + (value / top) * (end - start), ticks: straightTicks(top) };
}

export function logarithmic(least, most, start, end) {
  const span = Math.log(most / least) || 1;
  const at = (value) => start + (Math.log(value / least) / span) * (end - start);
  const ticks = [];
  for (let decade = 10 ** Math.floor(Math.log10(least)); decade <= most; decade *= 10) ticks.push(decade);
  return { at, ticks: ticks.filter((tick) => tick >= least * 0.999), logarithmic: true };
}

/** Three to five steps of 1, 2 or 5. */
function straightTicks(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1].map((part) => part * power).find((size) => most / size <= 5) ?? 2 * power;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}
