import { titleOf } from '../benches.js';
import { bars } from './bars.js';
import { card } from './card.js';
import { lines } from './lines.js';

/** The panels of a result: lines where figures lie along an axis, else the bars of each. */
function panelsOf(figures) {
  const axis = axisOf(figures);
  if (!axis) return figures.map(bars);
  const panels = new Map();
  for (const figure of figures) {
    panels.set(figure.panel, [...(panels.get(figure.panel) ?? []), figure]);
  }
  return [...panels.values()].map((panel) => lines(panel, axis));
}

/** The first key of `at`, where all figures have it as a number and not all the same. */
export function axisOf(figures) {
  const [axis] = Object.keys(figures[0]?.at ?? {});
  const places = new Set(figures.map(({ at }) => at?.[axis]));
  const isAxis = [...places].every((at) => typeof at === 'number');
  return axis && places.size > 1 && isAxis ? axis : undefined;
}

/** The SVG of a result in one of the themes. */
export function chart({ bench, machine, figures }, theme) {
  const title = titleOf(bench);
  return card(
    { title, description: inWords(figures), machine: footer(machine, figures), panels: panelsOf(figures) },
    theme,
  );
}

function footer(machine, figures) {
  const rounds = Math.max(...figures.map((figure) => figure.values(figure.names[0]).length));
  const values = rounds > 1 ? `Medians of ${rounds} rounds; thin lines: least to most.` : 'One run.';
  return `${values} ${machine}`;
}

/** Of figures along an axis those at its end; all of the others. */
export function furthest(figures) {
  const axis = axisOf(figures);
  const end = axis && Math.max(...figures.map(({ at }) => at[axis]));
  return axis ? figures.filter(({ at }) => at[axis] === end) : figures;
}

/** What those hear who do not see the chart. */
export function inWords(figures) {
  return furthest(figures)
    .map((figure) => {
      const rows = figure.names.map((name) => `${name} ${figure.shown(name)}`);
      return `${figure.title}, ${figure.unit}: ${rows.join(', ')}.`;
    })
    .join(' ');
}
