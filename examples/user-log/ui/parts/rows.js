import { byId, element } from './element.js';
import { dateOf, statusOf, timeOf } from './format.js';

const MARKED_MS = 2600;
const LABELS = ['App', 'User', 'IP', 'Request', 'Date', 'Time', 'Status', 'Message'];

/** The table's body: one element for each entry, kept while the entry is shown. */
export function openRows() {
  const known = new Map();
  return (entries, { mark }) => {
    const wanted = new Set(entries.map(({ id }) => id));
    for (const [id, { line }] of known)
      if (!wanted.has(id)) {
        line.remove();
        known.delete(id);
      }
    const body = byId('rows');
    let changes = 0;
    entries.forEach((entry, i) => {
      const shape = JSON.stringify(entry);
      const old = known.get(entry.id);
      const line = old?.line ?? element('tr');
      if (old?.shape !== shape) {
        line.replaceChildren(...cells(entry));
        known.set(entry.id, { line, shape });
        if (mark) flash(line);
        changes++;
      }
      if (body.children[i] !== line) body.insertBefore(line, body.children[i] ?? null);
    });
    return changes;
  };
}

function flash(line) {
  line.classList.remove('is-new');
  // The animation starts anew only when the class was seen to be gone.
  void line.offsetWidth;
  line.classList.add('is-new');
  setTimeout(() => line.classList.remove('is-new'), MARKED_MS);
}

function cells(entry) {
  const { tone, words } = statusOf(entry);
  const moment = new Date(entry.time).toISOString();
  const contents = [
    element('span', { class: `app app-${entry.app === 'ginger' ? 'b' : 'a'}` }, entry.app ?? '–'),
    entry.user ?? element('span', { class: 'faint', title: 'No demo user was named' }, 'anonymous'),
    element('span', { class: 'mono faint' }, entry.ip ?? '–'),
    element(
      'span',
      { class: 'mono request', title: `${entry.method} ${entry.url}` },
      element('b', { class: `verb verb-${entry.method.toLowerCase()}` }, entry.method),
      ' ',
      entry.url,
    ),
    element('time', { datetime: moment, class: 'faint' }, dateOf(entry.time)),
    element('time', { datetime: moment, class: 'figures' }, timeOf(entry.time)),
    element('span', { class: `pill pill-${tone}` }, words),
    entry.message,
  ];
  return contents.map((content, i) =>
    element('td', { 'data-label': LABELS[i], class: `c-${LABELS[i].toLowerCase()}` }, content),
  );
}
