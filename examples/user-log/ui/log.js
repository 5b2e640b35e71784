import { api } from './parts/api.js';
import { coalesce } from './parts/coalesce.js';
import { byId, element } from './parts/element.js';
import { openFilters } from './parts/filters.js';
import { note, retryButton } from './parts/note.js';
import { openRows } from './parts/rows.js';
import { openShell } from './parts/shell.js';
import { toast } from './parts/toast.js';

const PAGE = 50;
const MAX_PAGE = 500;

const live = openShell();
const draw = openRows();
let shown = [];
let more = false;
/** Counts up with the filters: an answer to earlier ones is thrown away. */
let view = 0;
let isFirst = true;

const refresh = coalesce(async () => {
  const asked = view;
  const limit = Math.min(Math.max(shown.length, PAGE), MAX_PAGE);
  try {
    const answer = await load({ limit });
    if (asked !== view) return;
    const last = answer.entries.at(-1)?.offset ?? 0;
    // What was shown before stays only if the answer reaches it: else there would be a hole between the two.
    const reaches = answer.more && last <= (shown[0]?.offset ?? 0);
    const older = reaches ? shown.filter(({ offset }) => offset < last) : [];
    if (older.length === 0) more = answer.more;
    shown = [...answer.entries, ...older];
    show(!isFirst);
    isFirst = false;
  } catch (error) {
    if (shown.length === 0) note('The log could not be loaded', error.message, retryButton(refresh));
    else toast(`The log could not be refreshed: ${error.message}`);
    byId('count').textContent = '';
  }
});

const filters = openFilters(() => {
  view++;
  isFirst = true;
  shown = [];
  void refresh();
});

async function load(page) {
  const query = filters.query();
  for (const [name, value] of Object.entries(page)) query.set(name, value);
  return api('GET', `/logs?${query}`);
}

async function loadOlder() {
  const asked = view;
  const button = byId('older');
  button.disabled = true;
  try {
    const answer = await load({ limit: PAGE, before: shown.at(-1).offset });
    if (asked !== view) return;
    const known = new Set(shown.map(({ id }) => id));
    shown = [...shown, ...answer.entries.filter(({ id }) => !known.has(id))];
    more = answer.more;
    show(false);
  } catch (error) {
    toast(error.message);
  } finally {
    button.disabled = false;
  }
}

function show(mark) {
  draw(shown, { mark });
  byId('log').setAttribute('aria-busy', 'false');
  byId('older').hidden = !more;
  const words = shown.length === 1 ? '1 entry' : `${shown.length} entries`;
  byId('count').textContent = `${words}${more ? ', newest first' : filters.any() ? ' match' : ''}`;
  if (shown.length > 0) note();
  else if (filters.any()) note('Nothing matches', 'No entry passes all the filters above.', clearButton());
  else note('Nothing has happened yet', 'Change something, and it appears here by itself.', machinesLink());
}

const clearButton = () =>
  element('button', { type: 'reset', form: 'filters-form', class: 'button' }, 'Clear filters');
const machinesLink = () =>
  element('a', { href: '/kimchi.html', target: '_blank', class: 'button primary' }, 'Virtual machines ↗');

byId('older').addEventListener('click', () => void loadOlder());
live.on('POST:/wok/logs', () => void refresh());
void refresh();
