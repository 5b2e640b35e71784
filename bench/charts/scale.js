/** Beyond this factor between the least and the most a straight axis would press the least onto the ground. */
const WIDE = 15;

export function isWide(values) {
  return Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > WIDE;
}

/** An axis from zero to the most of these values. */
export function straight(values, start, end) {
  const most = Math.max(...values, 0) || 1;
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1].map((part) => part * power).find((size) => most / size <= 5) ?? 2 * power;
  const ticks = Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
  return { at: (value) => start + (value / most) * (end - start), ticks };
}

/** An axis from the least to the most, on which equal factors are equally long. */
export function logarithmic(values, start, end) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const span = Math.log(most / least) || 1;
  const ticks = [];
  for (let decade = 10 ** Math.floor(Math.log10(least)); decade <= most; decade *= 10)
    if (decade >= least * 0.999) ticks.push(decade);
  return { at: (value) => start + (Math.log(value / least) / span) * (end - start), ticks };
}
