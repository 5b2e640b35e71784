import RFB from '@novnc/novnc';

const byId = (id) => document.getElementById(id);
const token = btoa('desktop').replaceAll('=', '');

const rfb = new RFB(byId('screen'), `${location.origin.replace('http', 'ws')}/websockify?token=${token}`);
rfb.scaleViewport = true;
rfb.background = 'none';

rfb.addEventListener('connect', () => {
  show('live', 'Connected');
  rfb.focus();
});
rfb.addEventListener('disconnect', () => {
  show('closed', 'Disconnected');
  byId('ended').hidden = false;
});
byId('ctrl-alt-del').addEventListener('click', () => {
  rfb.sendCtrlAltDel();
  rfb.focus();
});

function show(state, word) {
  byId('state').dataset.state = state;
  byId('state').lastElementChild.textContent = word;
  byId('ctrl-alt-del').disabled = state !== 'live';
}
