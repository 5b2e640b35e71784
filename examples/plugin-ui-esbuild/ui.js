import { connect } from 'reqcast/client';

const list = document.querySelector('#users');
const form = document.querySelector('#add');

async function refresh() {
  const users = await (await fetch('/ginger/users')).json();
  list.replaceChildren(
    ...users.map((name) => Object.assign(document.createElement('li'), { textContent: name })),
  );
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ name: new FormData(form).get('name') });
  await fetch('/ginger/users', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  form.reset();
});

// Whoever adds a user, in whichever window: this page shows it.
connect().on('*:/ginger/users', refresh);
await refresh();
