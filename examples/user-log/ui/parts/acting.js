import { PEOPLE } from '../../people.js';
import { byId, element } from './element.js';

const KEY = 'acting-as';

/** The demo user of this window; another window may have another. */
export function actingAs() {
  const name = sessionStorage.getItem(KEY);
  return PEOPLE.includes(name) ? name : PEOPLE[0];
}

export function showActing() {
  const select = byId('acting');
  select.append(...PEOPLE.map((name) => element('option', { value: name }, name)));
  select.value = actingAs();
  select.addEventListener('change', () => sessionStorage.setItem(KEY, select.value));
}
