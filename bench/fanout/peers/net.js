import { createServer } from 'node:net';
import { listen, TEXT } from './peer.js';

const FRAME = Buffer.from(`\x81${String.fromCharCode(TEXT.length)}${TEXT}`, 'latin1');

/** Node's own sockets, the bytes ready made. */
export async function start() {
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (socket) => sockets.add(socket.resume()));
  return {
    port: await listen(server),
    publish: () => {
      for (const socket of sockets) socket.write(FRAME);
    },
  };
}
