import { heading, MARGIN, WIDTH } from './card.js';
import { isWide, logarithmic, straight } from './scale.js';
import { element, line, text, widthOf } from './svg.js';

const PLOT = 210;
const LABEL = 19;
const SMALL = 13;
/** What the keys of `at` are called on an axis, where it is not the key itself. */
const AXES = { N: 'subscribers', rate: 'notifications a second' };

/** The figures of one panel along their axis, a line for each rival with its name and last value at its end. */
export function lines(figures, axis) {
  const [{ panel, unit, better, ours }] = figures;
  const series = [...new Set(figures.flatMap(({ names }) => names))].map((name) => of(name, figures, axis));
  series.sort((a, b) => Number(a.name === ours) - Number(b.name === ours));
  const values = series.flatMap(({ points }) => points.flatMap(({ spread }) => spread));
  const wide = isWide(values);
  const scaled = wide ? `${unit} on a logarithmic axis` : unit;
  const head = heading(panel, { unit: scaled, better });
  const [top, bottom] = [head.height + 12, head.height + 12 + PLOT];
  const y = wide ? logarithmic(values, bottom, top) : straight(values, bottom, top);
  const places = figures.map(({ at }) => at[axis]);
  const left = MARGIN + Math.max(...y.ticks.map((tick) => widthOf(tickText(tick), SMALL))) + 10;
  const right = WIDTH - MARGIN - Math.max(...series.map(({ label }) => widthOf(label))) - 26;
  const x = logarithmic(places, left + 10, right);
  const box = { left, right, top, bottom, x, y };
  const ends = apart(
    series.map((one) => ({ ...one, y: endOf(one, box) })),
    top,
    bottom,
  );
  const body = [
    grid(box, places, axis),
    ...series.map((one) => curve(one, box, ours)),
    ...ends.map((end) => ending(end, box, ours)),
  ];
  return { height: bottom + 44, body: head.body + body.join('\n') };
}

function of(name, figures, axis) {
  const there = figures.filter((figure) => figure.names.includes(name));
  const points = there
    .filter((figure) => figure.median(name) !== null)
    .map((figure) => ({ at: figure.at[axis], value: figure.median(name), spread: figure.spread(name) }))
    .sort((a, b) => a.at - b.at);
  const last = there.reduce((a, b) => (b.at[axis] > a.at[axis] ? b : a));
  return { name, points, label: `${name}  ${last.shown(name)}` };
}

function tickText(value) {
  return value >= 1 || value === 0 ? value.toLocaleString('en-US') : String(Number(value.toPrecision(2)));
}

function grid({ left, right, bottom, x, y }, places, axis) {
  const across = y.ticks.map((tick) => {
    const at = y.at(tick);
    const words = { size: SMALL, 'text-anchor': 'end', class: 'muted' };
    return line(left, at, right, at, { class: 'grid' }) + text(left - 6, at + 4, tickText(tick), words);
  });
  let free = Number.NEGATIVE_INFINITY;
  const below = [...new Set(places)]
    .sort((a, b) => a - b)
    .map((at) => {
      const words = at.toLocaleString('en-US');
      const half = widthOf(words, SMALL) / 2;
      const mark = line(x.at(at), bottom, x.at(at), bottom + 5, { class: 'axis' });
      if (x.at(at) - half < free) return mark;
      free = x.at(at) + half + 6;
      return (
        mark + text(x.at(at), bottom + 19, words, { size: SMALL, 'text-anchor': 'middle', class: 'muted' })
      );
    });
  const middle = { size: SMALL, 'text-anchor': 'middle', class: 'muted' };
  const called = text((left + right) / 2, bottom + 36, AXES[axis] ?? axis, middle);
  return [...across, ...below, line(left, bottom, right, bottom, { class: 'axis' }), called].join('');
}

function curve({ name, points }, { x, y }, ours) {
  const kind = name === ours ? '-ours' : '';
  const path = points.map(
    ({ at, value }, i) => `${i === 0 ? 'M' : 'L'}${x.at(at).toFixed(1)} ${y.at(value).toFixed(1)}`,
  );
  const dots = points.map(({ at, value, spread: [least, most] }) => {
    const whisker = line(x.at(at), y.at(least), x.at(at), y.at(most), { class: 'leader' });
    return (
      whisker + element('circle', { cx: x.at(at), cy: y.at(value), r: kind ? 4 : 3, class: `dot${kind}` })
    );
  });
  return element('path', { d: path.join(''), class: `path${kind}` }) + dots.join('');
}

/** Where a line ends; what has no value at all is beyond the worst. */
function endOf({ points }, { y, top }) {
  return points.length === 0 ? top : y.at(points.at(-1).value);
}

/** The labels moved apart until none lies on another, in the order of their lines. */
function apart(labels, top, bottom) {
  const sorted = labels.sort((a, b) => a.y - b.y).map((label) => ({ ...label, labelY: label.y }));
  for (const [i, label] of sorted.entries())
    if (i > 0) label.labelY = Math.max(label.labelY, sorted[i - 1].labelY + LABEL);
  let lowest = Math.max(bottom + 4, top + (sorted.length - 1) * LABEL);
  for (const label of sorted.toReversed()) {
    label.labelY = Math.min(label.labelY, lowest);
    lowest = label.labelY - LABEL;
  }
  return sorted;
}

function ending({ name, label, points, y, labelY }, { right, x }, ours) {
  const words = text(right + 24, labelY + 5, label, { class: name === ours ? 'name-ours' : 'name' });
  if (points.length === 0) return words;
  const from = x.at(points.at(-1).at) + 6;
  const elbow = Math.max(from, right + 6);
  return (
    line(from, y, elbow, y, { class: 'leader' }) +
    line(elbow, y, right + 20, labelY, { class: 'leader' }) +
    words
  );
}
