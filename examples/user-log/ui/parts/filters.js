import { PEOPLE } from '../../people.js';
import { byId, element } from './element.js';

const NAMES = ['app', 'user', 'ip', 'request', 'date', 'time', 'status', 'message'];
const TYPING_MS = 200;

/** The filters of the table's head. They live in the page's URL too, so a reload or a link keeps them. */
export function openFilters(onChange) {
  const fields = NAMES.map((name) => byId(`f-${name}`));
  byId('f-user').append(...PEOPLE.map((name) => element('option', {}, name)));
  const given = new URLSearchParams(location.search);
  for (const field of fields) field.value = given.get(field.name) ?? '';

  const values = () =>
    new URLSearchParams(fields.flatMap(({ name, value }) => (value ? [[name, value]] : [])));
  let timer;
  const changed = () => {
    clearTimeout(timer);
    const query = String(values());
    history.replaceState(null, '', query ? `?${query}` : location.pathname);
    show(values());
    onChange();
  };
  for (const field of fields)
    field.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(changed, field.type === 'search' ? TYPING_MS : 0);
    });
  byId('filters-form').addEventListener('reset', () => setTimeout(changed));
  byId('filters-form').addEventListener('submit', (event) => event.preventDefault());
  openFold();
  show(values());
  return { query: () => toQuery(values()), any: () => values().size > 0 };
}

/** What the server is asked: the date and time of this place become moments. */
function toQuery(values) {
  const { date, time, ...query } = Object.fromEntries(values);
  if (date || time) {
    const day = date ? new Date(`${date}T00:00`) : new Date(new Date().setHours(0, 0, 0, 0));
    const next = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1);
    const [hours, minutes] = (time ?? '0:0').split(':').map(Number);
    query.from = new Date(day.getFullYear(), day.getMonth(), day.getDate(), hours, minutes).getTime();
    query.to = next.getTime();
  }
  return new URLSearchParams(query);
}

function show(values) {
  byId('filters-clear').hidden = values.size === 0;
  byId('filters-count').hidden = values.size === 0;
  byId('filters-count').textContent = values.size;
  byId('download').href = `/logs/download?${toQuery(values)}`;
  for (const name of NAMES) byId(`f-${name}`).classList.toggle('is-set', values.has(name));
}

/** On a narrow screen the filters fold out. */
function openFold() {
  const toggle = byId('filters-toggle');
  toggle.addEventListener('click', () => {
    const open = toggle.getAttribute('aria-expanded') !== 'true';
    toggle.setAttribute('aria-expanded', String(open));
    byId('filters').classList.toggle('is-open', open);
    if (open) byId('f-app').focus();
  });
}
