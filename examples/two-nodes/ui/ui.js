const EVERY_MS = 500;
/** So many of the newest requests are on the screen. */
const SHOWN = 96;

const page = Math.random().toString(36).slice(2, 8);
const live = globalThis.reqcast.connect({
  url: `/websockify?page=${page}`,
  reconnect: { minMs: 100, maxMs: 1000 },
});
const element = (id) => document.getElementById(id);
const nodes = [...document.querySelectorAll('article')];
const mine = ({ id }) => id.startsWith(page);

/** The requests of this page, by what is known of each: `answered`, and how often it was heard. */
const ticks = new Map();

function tick(id) {
  if (!ticks.has(id)) {
    const item = document.createElement('li');
    element('ticks').append(item);
    if (element('ticks').children.length > SHOWN) element('ticks').firstChild.remove();
    ticks.set(id, { item, heard: 0 });
  }
  return ticks.get(id);
}

live.on('state', (state) => {
  element('state').textContent = state;
  if (state !== 'live') for (const node of nodes) node.removeAttribute('data-socket');
});
live.on('PAGE:/whereabouts', ({ data }) => {
  if (data?.page !== page) return;
  for (const node of nodes) node.toggleAttribute('data-socket', node.dataset.node === data.node);
});
live.on('POST:/ticks', ({ data, replay }) => {
  if (replay) element('refreshed').textContent++;
  else if (mine(data)) {
    const { item } = tick(data.id);
    tick(data.id).heard++;
    item.setAttribute('data-heard', '');
  }
});
live.on('POST:/nodes/kill', ({ data, replay }) => {
  if (!replay) down(data.name, true);
});

function down(name, dead) {
  const node = nodes.find((one) => one.dataset.node === name);
  node.toggleAttribute('data-down', dead);
  node.querySelector('button').disabled = dead;
}

/** What a node answers; nothing where it dies before. */
async function ask(path, method = 'GET') {
  try {
    return await (await fetch(path, { method })).json();
  } catch {
    return undefined;
  }
}

for (const button of document.querySelectorAll('button'))
  button.addEventListener('click', () => ask(`/nodes/${button.dataset.kill}/kill`, 'POST'));

for (let n = 1; ; n++) {
  const id = `${page}-${n}`;
  const answer = await ask(`/ticks/${id}`, 'POST');
  if (answer) {
    tick(id).item.dataset.node = answer.node;
    down(answer.node, false);
  }
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  // Not each time: the balancer would send all ticks to one node, and all of these to the other.
  if (n % 2 === 0) await compare();
}

/** What the journal has, and what of it was not heard, or twice. */
async function compare() {
  const before = [...ticks.keys()];
  const journal = Object.keys((await ask('/journal')) ?? {}).filter((id) => before.includes(id));
  if (journal.length === 0) return;
  const heard = journal.filter((id) => ticks.get(id).heard === 1);
  element('announced').textContent = journal.length;
  element('heard').textContent = heard.length;
  element('missed').textContent = live.state === 'live' ? journal.length - heard.length : '…';
}
