import uws from '@trufflesuite/uws-js-unofficial';
import { TEXT } from './peer.js';

/** uWebSockets.js: its own publish, which joins what is published within a turn. */
export async function start() {
  const app = uws.App();
  app.ws('/websockify', { compression: uws.DISABLED, open: (ws) => ws.subscribe('all') });
  const port = await new Promise((resolve) =>
    app.listen(0, (socket) => resolve(uws.us_socket_local_port(socket))),
  );
  return { port, publish: () => app.publish('all', TEXT, false) };
}
