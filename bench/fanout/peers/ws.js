import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { DATA, listen, textOf } from './peer.js';

/** The loop that the documentation of ws has for a broadcast; compression off, as is its default. */
export async function start(onRequest) {
  const server = createServer(onRequest);
  const sockets = new WebSocketServer({ server });
  return {
    port: await listen(server),
    publish: (data = DATA) => {
      const text = textOf(data);
      for (const client of sockets.clients) if (client.readyState === client.OPEN) client.send(text);
    },
  };
}
