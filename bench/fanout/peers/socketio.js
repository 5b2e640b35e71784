import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { DATA, listen, TOPIC } from './peer.js';

/** WebSocket only, compression off, which is its default. The bench's subscribers do not answer its own pings. */
export async function start(onRequest) {
  const server = createServer(onRequest);
  const io = new Server(server, { transports: ['websocket'], pingInterval: 3_600_000 });
  return { port: await listen(server), publish: (data = DATA) => io.emit(TOPIC, data) };
}
