import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';

const byId = (id) => document.getElementById(id);
const utf8 = new TextEncoder();
const token = btoa('vm-42').replaceAll('=', '');
const endpoint = `${location.origin.replace('http', 'ws')}/websockify?token=${token}`;

const terminal = new Terminal({
  cursorBlink: true,
  fontFamily: style('--mono'),
  fontSize: innerWidth < 480 ? 12 : 15,
  lineHeight: 1.2,
  minimumContrastRatio: 4.5, // the sixteen colours are made for dark grounds
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(byId('terminal'));
new ResizeObserver(() => fit.fit()).observe(byId('terminal'));
paint();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);

let socket = connect();
terminal.onData((text) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(utf8.encode(text));
});
byId('again').addEventListener('click', () => {
  socket = connect();
});

function connect() {
  const opening = new WebSocket(endpoint, 'binary');
  opening.binaryType = 'arraybuffer';
  show('connecting', 'Connecting');
  opening.addEventListener('open', () => {
    show('live', 'Connected');
    terminal.focus();
  });
  // A piece of the stream may end inside a character: the terminal takes bytes and joins them.
  opening.addEventListener('message', ({ data }) => terminal.write(new Uint8Array(data)));
  opening.addEventListener('close', ({ code }) => {
    // 1000: the machine has ended the stream.
    byId('why').textContent = code === 1000 ? 'The machine is off' : 'The connection is lost';
    show('closed', 'Off');
  });
  return opening;
}

function show(state, word) {
  byId('state').dataset.state = state;
  byId('state').lastElementChild.textContent = word;
  byId('ended').hidden = state !== 'closed';
}

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

function paint() {
  terminal.options.theme = {
    background: style('--panel'),
    foreground: style('--text'),
    cursor: style('--accent'),
    selectionBackground: style('--accent-soft'),
    scrollbarSliderBackground: style('--line'),
  };
}
