import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { listen, TOPIC } from './peer.js';

/** WebSocket only, compression off, which is its default. */
export async function start() {
  const server = createServer();
  const io = new Server(server, { transports: ['websocket'] });
  return { port: await listen(server), publish: () => io.emit(TOPIC, { m: '\x7f' }) };
}
