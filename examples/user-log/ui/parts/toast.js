import { element } from './element.js';

const STAYS_MS = 7000;
let region;

/** Tells of something that went wrong, for a while. */
export function toast(message) {
  region ??= document.body.appendChild(element('div', { class: 'toasts', role: 'alert' }));
  const close = element('button', { type: 'button', class: 'toast-close', 'aria-label': 'Dismiss' }, '×');
  const shown = element('div', { class: 'toast' }, element('p', {}, message), close);
  const remove = () => shown.remove();
  close.addEventListener('click', remove);
  setTimeout(remove, STAYS_MS);
  region.append(shown);
}
