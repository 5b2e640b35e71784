import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { listen, TEXT } from './peer.js';

/** The loop that the documentation of ws has for a broadcast; compression off, as is its default. */
export async function start() {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  return {
    port: await listen(server),
    publish: () => {
      for (const client of sockets.clients) if (client.readyState === client.OPEN) client.send(TEXT);
    },
  };
}
