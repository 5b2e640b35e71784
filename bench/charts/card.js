import { element, escaped, text, wrapped } from './svg.js';
import { style } from './theme.js';

/** As wide as a chart is drawn; smaller screens shrink it, so the type is large. */
export const WIDTH = 680;
export const MARGIN = 20;
const INNER = WIDTH - 2 * MARGIN;
/** So much wider are words that are bold. */
const BOLD = 1.13;

/**
 * A whole SVG: a title, panels below each other, and what they were measured on.
 * @param {{ height: number, body: string }[]} panels
 */
export function card({ title, description, machine, panels }, theme) {
  const parts = [];
  let y = MARGIN + 14;
  for (const words of wrapped(title, INNER / BOLD, 20)) {
    parts.push(text(MARGIN, y, words, { size: 20, class: 'strong' }));
    y += 25;
  }
  for (const { height, body } of panels) {
    parts.push(element('g', { transform: `translate(0 ${y})` }, body));
    y += height + 14;
  }
  for (const words of wrapped(machine, INNER, 12.5)) {
    y += 16;
    parts.push(text(MARGIN, y, words, { size: 12.5, class: 'muted' }));
  }
  const height = Math.ceil(y + MARGIN - 4);
  const paper = { x: 0.5, y: 0.5, width: WIDTH - 1, height: height - 1, rx: 8, class: 'paper' };
  const head = `<title>${escaped(title)}</title><desc>${escaped(description)}</desc><style>${style(theme)}</style>`;
  const box = { width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}`, role: 'img' };
  const root = { xmlns: 'http://www.w3.org/2000/svg', ...box };
  return `${element('svg', root, head, element('rect', paper), '\n', parts.join('\n'), '\n')}\n`;
}

/** The head of a panel: what was measured, and below it the unit and which way is better. */
export function heading(title, { unit, better }) {
  const lines = title === '' ? [] : wrapped(title.replace(/^[a-z]{2}|^a /, capital), INNER / BOLD, 16);
  const words = lines.map((each, i) => text(MARGIN, 16 + i * 20, each, { size: 16, class: 'strong' }));
  const height = lines.length * 20 + 20;
  words.push(text(MARGIN, height - 4, `${unit}, ${better} is better`, { class: 'muted' }));
  return { height, body: words.join('') };
}

/** `p99` and the like stay as they are. */
function capital(start) {
  return start[0].toUpperCase() + start.slice(1);
}
