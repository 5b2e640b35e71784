/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A number as a table shows it: three digits that count, and no power of ten. */
export function shown(value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(digits, 3));
}

/** One thing that was measured for all rivals, a value for each in every round. */
export class Figure {
  #rows = new Map();

  /**
   * @param {object} about
   * @param {string} about.title what was measured, and how much of it
   * @param {string} about.unit
   * @param {'less' | 'more'} about.better
   * @param {string} [about.ours] the row that the others are compared with
   * @param {object} [about.at] where on a chart's axis this is, as `{ N: 150 }`
   */
  constructor({ title, unit, better, ours = 'reqcast', at }) {
    Object.assign(this, { title, unit, better, ours, at });
  }

  add(name, value) {
    if (!this.#rows.has(name)) this.#rows.set(name, []);
    this.#rows.get(name).push(value);
  }

  values(name) {
    return this.#rows.get(name) ?? [];
  }

  /** Ours divided by the named one's, round by round, and of that the median. */
  ratio(name) {
    const theirs = this.values(name);
    return median(this.values(this.ours).map((value, round) => value / theirs[round]));
  }

  print() {
    console.log(`\n${this.title}, ${this.unit} (${this.better} is better)`);
    for (const [name, values] of this.#rows) {
      const spread = `${shown(Math.min(...values))} to ${shown(Math.max(...values))}`;
      const ratio = name === this.ours ? '' : `ours is ${shown(this.ratio(name))} of it`;
      console.log(
        `  ${name.padEnd(24)} ${shown(median(values)).padStart(8)}   ${spread.padEnd(20)} ${ratio}`,
      );
    }
  }

  toJSON() {
    const { title, unit, better, ours, at } = this;
    return { title, unit, better, ours, at, rows: Object.fromEntries(this.#rows) };
  }
}
