import { Server } from 'socket.io';
import { app, listen, TOPIC } from './peer.js';

/** WebSocket only, compression off, which is its default. The bench's subscribers do not answer its own pings. */
export async function start() {
  const server = app();
  const io = new Server(server, { transports: ['websocket'], pingInterval: 3_600_000 });
  return { server, port: await listen(server), publish: () => io.emit(TOPIC, { m: '\x7f' }) };
}
