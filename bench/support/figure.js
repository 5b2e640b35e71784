/** The middle one; a null, nothing that could be measured, is worse than any number and sorts last. */
export function median(values) {
  const worth = (value) => value ?? Number.POSITIVE_INFINITY;
  const sorted = [...values].sort((a, b) => (worth(a) === worth(b) ? 0 : worth(a) - worth(b)));
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  return sorted[middle] === null ? null : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A number as a table shows it: three digits that count, and no power of ten. */
export function shown(value) {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  const decimals = Math.min(digits, 3);
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

const wantedOf = ({ most, least }) =>
  most === undefined ? `at least ${Number(least.toPrecision(3))}` : `at most ${Number(most.toPrecision(3))}`;

/** One thing that was measured for all rivals, a value for each in every round. */
export class Figure {
  #rows = new Map();

  /**
   * @param {object} about
   * @param {string} about.title what was measured, and how much of it
   * @param {string} about.unit
   * @param {'less' | 'more'} about.better
   * @param {string} [about.ours] the row that the others are compared with
   * @param {object} [about.at] where on a chart's axis this is, as `{ N: 150 }`; its first key is the axis
   * @param {string} [about.panel] what is measured all along that axis: figures with the same are one panel of a chart
   * @param {string} [about.none] what is said of a rival for which nothing could be measured, as `served no request`
   * @param {string} [about.whole] the row that a chart gives the others as a share of
   * @param {{ of?: string, most?: number, least?: number }[]} [about.targets] what ours divided by that of the rival `of`
   * should be, or without one ours itself
   */
  constructor({
    title,
    unit,
    better,
    ours = 'reqcast',
    at,
    panel = '',
    none = 'nothing',
    whole,
    targets = [],
  }) {
    Object.assign(this, { title, unit, better, ours, at, panel, none, whole, targets });
  }

  /** The figure that `toJSON` gave. */
  static from({ rows, ...about }) {
    const figure = new Figure(about);
    for (const [name, values] of Object.entries(rows)) for (const value of values) figure.add(name, value);
    return figure;
  }

  /** @param {number | null} value null when nothing could be measured */
  add(name, value) {
    if (!this.#rows.has(name)) this.#rows.set(name, []);
    this.#rows.get(name).push(Number.isFinite(value) ? value : null);
  }

  get names() {
    return [...this.#rows.keys()];
  }

  values(name) {
    return this.#rows.get(name) ?? [];
  }

  /** Null when nothing could be measured in the middle round. */
  median(name) {
    return median(this.values(name));
  }

  /** The least and the most that were measured. */
  spread(name) {
    const values = this.values(name).filter((value) => value !== null);
    return [Math.min(...values), Math.max(...values)];
  }

  /** The median in words. */
  shown(name) {
    const value = this.median(name);
    return value === null ? this.none : shown(value);
  }

  /** Ours divided by the named one's, round by round, and of that the median. Null where one of them has none. */
  ratio(name) {
    const theirs = this.values(name);
    const divided = (value, by) => (value === by ? 1 : value / by);
    if (this.median(this.ours) === null || this.median(name) === null) return null;
    const both = this.values(this.ours).map((value, round) => [value, theirs[round] ?? null]);
    const rounds = both.filter((pair) => !pair.includes(null));
    return rounds.length === 0 ? null : median(rounds.map(([value, by]) => divided(value, by)));
  }

  /** What became of the targets: `{ met, text }` for each whose rival was measured. */
  verdicts() {
    return this.targets
      .filter(({ of = this.ours }) => this.#rows.has(of))
      .map((target) => this.#verdict(target));
  }

  #verdict({ of, most, least }) {
    if (of === undefined) return this.#verdictOfOurs({ most, least });
    const ratio = this.ratio(of);
    const wanted = wantedOf({ most, least });
    const reached = most === undefined ? ratio >= least : ratio <= most;
    // Who has a value where the rival has none is ahead of it, by a factor that nobody can tell.
    const met = ratio === null ? this.median(this.ours) !== null : reached;
    const found = ratio === null ? `${met ? of : this.ours} ${this.none}` : `${shown(ratio)} of ${of}`;
    return { met, text: `${met ? 'met' : 'missed'}: ${found}, target ${wanted}` };
  }

  #verdictOfOurs({ most, least }) {
    const value = this.median(this.ours);
    const met = value !== null && (most === undefined ? value >= least : value <= most);
    const wanted = wantedOf({ most, least });
    return {
      met,
      text: `${met ? 'met' : 'missed'}: ${this.shown(this.ours)} ${this.unit}, target ${wanted}`,
    };
  }

  print() {
    console.log(`\n${this.title}, ${this.unit} (${this.better} is better)`);
    for (const [name, values] of this.#rows) {
      const spread = values.every((value) => value === null) ? '' : this.spread(name).map(shown).join(' to ');
      const ratio = name === this.ours ? null : this.ratio(name);
      const compared = ratio === null ? '' : `ours is ${shown(ratio)} of it`;
      console.log(`  ${name.padEnd(24)} ${this.shown(name).padStart(8)}   ${spread.padEnd(20)} ${compared}`);
    }
    for (const { text } of this.verdicts()) console.log(`  ${text}`);
  }

  toJSON() {
    const { title, unit, better, ours, at, panel, none, whole, targets } = this;
    return {
      title,
      unit,
      better,
      ours,
      at,
      panel,
      none,
      whole,
      targets,
      rows: Object.fromEntries(this.#rows),
    };
  }
}
