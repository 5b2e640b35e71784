import { element } from './element.js';

/** Asks before something is lost. Escape and a click on Cancel say no. */
export function confirmed(question, yes) {
  const dialog = element(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'question' },
    element(
      'form',
      { method: 'dialog' },
      element('h2', { id: 'question' }, question),
      element('p', {}, 'This cannot be undone.'),
      element(
        'div',
        { class: 'dialog-actions' },
        element('button', { class: 'button', value: 'no', autofocus: true }, 'Cancel'),
        element('button', { class: 'button danger', value: 'yes' }, yes),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}
