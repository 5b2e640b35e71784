import { WebSocketServer } from 'ws';
import { app, listen, TEXT } from './peer.js';

/** Bare: nobody is asked, nothing is kept. */
export async function start() {
  const server = app();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  return {
    server,
    port: await listen(server),
    publish: () => {
      for (const client of sockets.clients) if (client.readyState === client.OPEN) client.send(TEXT);
    },
  };
}
