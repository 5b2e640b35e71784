import { actionButton, openCollection } from './parts/collection.js';
import { confirmed } from './parts/confirm.js';
import { element } from './parts/element.js';
import { openShell } from './parts/shell.js';

openCollection({
  live: openShell(),
  path: '/plugins/ginger/users',
  pattern: '*:/ginger/**',
  card,
  empty: ['No users', 'Add the first one above.'],
});

function card({ name, fullName, group }, act) {
  const remove = async () => {
    if (await confirmed(`Delete user “${name}”?`, 'Delete user'))
      await act('DELETE', `/${encodeURIComponent(name)}`);
  };
  const head = element(
    'div',
    { class: 'card-head' },
    element('span', { class: 'avatar', 'aria-hidden': 'true' }, initials(fullName || name)),
    element(
      'div',
      { class: 'card-title' },
      element('h2', {}, fullName || name),
      element('p', { class: 'faint' }, name),
    ),
    element('span', { class: 'pill pill-idle' }, group),
  );
  if (name === 'root') return [head];
  return [
    head,
    element('div', { class: 'card-actions' }, actionButton(name, 'Delete', remove, { tone: 'quiet-danger' })),
  ];
}

function initials(text) {
  const words = text.split(/[\s-]+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase();
}
