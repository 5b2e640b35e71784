import { heading, MARGIN, WIDTH } from './card.js';
import { element, line, text, widthOf } from './svg.js';

const ROW = 30;
const BAR = 18;
const GAP = 10;

/** The medians of a figure as bars from zero, so that lengths compare; the labels say what is too short to see. */
export function bars(figure) {
  const head = heading(figure.title, figure);
  const names = Math.max(...figure.names.map((name) => widthOf(name))) * 1.08;
  const labels = Math.max(
    ...figure.names.map((name) => (isNone(figure, name) ? 0 : widthOf(label(figure, name)))),
  );
  const left = MARGIN + names + GAP;
  const room = WIDTH - MARGIN - labels - GAP - left;
  const most =
    Math.max(...figure.names.map((name) => figure.spread(name)[1]).filter(Number.isFinite), 0) || 1;
  const scale = (value) => (value / most) * room;
  const rows = figure.names.map((name, i) =>
    row(figure, name, { y: head.height + 8 + i * ROW, left, room, scale }),
  );
  return { height: head.height + 8 + figure.names.length * ROW, body: head.body + rows.join('') };
}

function row(figure, name, { y, left, room, scale }) {
  const ours = name === figure.ours;
  const middle = y + BAR / 2;
  const base = middle + 5;
  const parts = [text(left - GAP, base, name, { 'text-anchor': 'end', class: ours ? 'name-ours' : 'name' })];
  if (isNone(figure, name)) parts.push(nothing(figure, { y, left, room, base }));
  else {
    const [least, most] = figure.spread(name).map(scale);
    const width = Math.max(scale(figure.median(name)), 2);
    parts.push(element('rect', { x: left, y, width, height: BAR, rx: 2, class: ours ? 'bar-ours' : 'bar' }));
    parts.push(whisker(left + least, left + most, middle));
    const end = left + Math.max(width, most) + GAP;
    parts.push(text(end, base, label(figure, name), { class: ours ? 'name-ours' : 'name' }));
  }
  return parts.join('');
}

/** From the least to the most that was measured. */
function whisker(from, to, y) {
  if (to - from < 1) return '';
  const strokes = [
    [from, y, to, y],
    [from, y - 4, from, y + 4],
    [to, y - 4, to, y + 4],
  ];
  return ['halo', 'spread']
    .map((kind) => strokes.map((at) => line(...at, { class: kind })).join(''))
    .join('');
}

/** Where less is better, what never came to an end is longer than any bar. */
function nothing(figure, { y, left, room, base }) {
  const words = { class: 'bad strong' };
  if (figure.better === 'more') return text(left + 2, base, figure.none, words);
  const frame = element('rect', { x: left, y, width: room + GAP, height: BAR, rx: 2, class: 'none' });
  return frame + text(left + GAP, base, figure.none, words);
}

function isNone(figure, name) {
  return figure.median(name) === null;
}

/** The median, and where there is a whole, the share of it. */
function label(figure, name) {
  const whole = figure.whole && figure.median(figure.whole);
  if (!whole || name === figure.whole) return figure.shown(name);
  return `${figure.shown(name)} · ${Math.round((figure.median(name) / whole) * 100)} %`;
}
