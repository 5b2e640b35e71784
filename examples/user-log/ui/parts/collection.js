import { api } from './api.js';
import { coalesce } from './coalesce.js';
import { byId, element } from './element.js';
import { note, retryButton } from './note.js';
import { toast } from './toast.js';

/** A page's list of cards: drawn from the server's list, again after each announcement that names it. */
export function openCollection({ live, path, pattern, card, empty }) {
  const known = new Map();
  const list = byId('list');
  let isFirst = true;

  const refresh = coalesce(async () => {
    try {
      draw(await api('GET', path));
    } catch (error) {
      if (isFirst) note('The list could not be loaded', error.message, retryButton(refresh));
      else toast(`The list could not be refreshed: ${error.message}`);
    }
  });

  function draw(items) {
    const focused = document.activeElement?.closest?.('[data-act]')?.dataset.act;
    const names = new Set(items.map(({ name }) => name));
    for (const [name, { item }] of known)
      if (!names.has(name)) {
        item.remove();
        known.delete(name);
      }
    items.forEach((data, i) => {
      const shape = JSON.stringify(data);
      const old = known.get(data.name);
      const item = old?.item ?? element('li', { class: 'card' });
      if (old?.shape !== shape) {
        item.replaceChildren(...card(data, act));
        known.set(data.name, { item, shape });
        item.classList.toggle('is-new', !isFirst);
      }
      if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
    });
    if (focused && document.activeElement === document.body) focusAgain(focused);
    isFirst = false;
    list.setAttribute('aria-busy', 'false');
    if (items.length === 0) note(...empty);
    else note();
  }

  /** Asks the server for a change. What it did comes back as an announcement, here and in each other window. */
  async function act(method, target, body) {
    try {
      await api(method, `${path}${target}`, body);
    } catch (error) {
      toast(error.message);
      return false;
    }
    if (live.state !== 'live') void refresh();
    return true;
  }

  byId('create').addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (await act('POST', '', Object.fromEntries(new FormData(form)))) form.reset();
    form.elements.name.focus();
  });
  live.on(pattern, () => void refresh());
  void refresh();
}

/** A card that was drawn anew has lost the focus: its next button, or the page, gets it. */
function focusAgain(name) {
  const [card] = name.split(' ');
  const same = [...document.querySelectorAll('[data-act]')];
  const next =
    same.find(({ dataset }) => dataset.act === name) ??
    same.find(({ dataset }) => dataset.act.startsWith(`${card} `));
  (next ?? byId('main')).focus();
}

/** A card's button. While its request runs it takes no further press. */
export function actionButton(card, words, run, { tone = '' } = {}) {
  const button = element(
    'button',
    { type: 'button', class: `button small ${tone}`, 'data-act': `${card} ${words}` },
    words,
  );
  button.setAttribute('aria-label', `${words} ${card}`);
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    await run();
    button.removeAttribute('aria-disabled');
  });
  return button;
}
