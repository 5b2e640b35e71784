import { byId, element } from './element.js';

/** What stands where a list is empty or could not be loaded; nothing hides it. */
export function note(title, text, action) {
  const place = byId('note');
  place.hidden = title === undefined;
  place.replaceChildren();
  if (title !== undefined)
    place.append(element('h2', {}, title), element('p', {}, text), ...(action ? [action] : []));
}

export function retryButton(act) {
  return element('button', { type: 'button', class: 'button', onclick: () => void act() }, 'Try again');
}
