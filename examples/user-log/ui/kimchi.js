import { actionButton, openCollection } from './parts/collection.js';
import { confirmed } from './parts/confirm.js';
import { element } from './parts/element.js';
import { openShell } from './parts/shell.js';

const STATES = {
  running: ['ok', 'Running'],
  stopped: ['idle', 'Stopped'],
  cloning: ['progress', 'Cloning'],
};

openCollection({
  live: openShell(),
  path: '/plugins/kimchi/vms',
  pattern: '*:/kimchi/**',
  card,
  empty: ['No virtual machines', 'Create the first one above.'],
});

function card({ name, state, cpus, memoryMiB }, act) {
  const [tone, word] = STATES[state];
  const at = `/${encodeURIComponent(name)}`;
  const size = `${cpus} CPU${cpus === 1 ? '' : 's'} · ${memoryMiB / 1024} GiB`;
  const post = (verb) => () => act('POST', `${at}/${verb}`);
  const remove = async () => {
    if (await confirmed(`Delete “${name}”?`, 'Delete machine')) await act('DELETE', at);
  };
  const head = element(
    'div',
    { class: 'card-head' },
    element('div', {}, element('h2', {}, name), element('p', { class: 'faint' }, size)),
    element('span', { class: `pill pill-${tone}` }, word),
  );
  if (state === 'cloning')
    return [
      head,
      element('div', { class: 'progress', role: 'progressbar', 'aria-label': `Cloning ${name}` }),
    ];
  const power =
    state === 'running'
      ? actionButton(name, 'Stop', post('stop'))
      : actionButton(name, 'Start', post('start'));
  const deletion =
    state === 'running' ? undefined : actionButton(name, 'Delete', remove, { tone: 'quiet-danger' });
  const actions = element(
    'div',
    { class: 'card-actions' },
    power,
    actionButton(name, 'Clone', post('clone')),
  );
  if (deletion) actions.append(deletion);
  return [head, actions];
}
