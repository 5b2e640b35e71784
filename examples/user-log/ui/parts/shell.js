import { connect } from 'reqcast/client';
import { showActing } from './acting.js';
import { byId } from './element.js';

const WORDS = { connecting: 'Connecting', live: 'Live', waiting: 'Offline', closed: 'Offline' };

/** Connects, and shows in the header how that goes. */
export function openShell() {
  showActing();
  const live = connect();
  const show = () => {
    byId('connection').dataset.state = live.state;
    const word = byId('connection-word');
    if (word.textContent !== WORDS[live.state]) word.textContent = WORDS[live.state];
  };
  live.on('state', show);
  show();
  return live;
}
