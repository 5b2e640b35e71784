// In the browser's place, but as light as can be: it counts bytes and does not look into frames, so that what is
// measured is the tunnel.
import { once } from 'node:events';
import net from 'node:net';

const TOKEN = Buffer.from('bench').toString('base64url');
const CHUNK_BYTES = 48 * 1024;

async function open(port, protocol) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  if (protocol === 'none') return socket;
  socket.write(
    `GET /websockify?token=${TOKEN} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
  );
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const [chunk] = await once(socket, 'data');
    head += chunk.toString('latin1');
  }
  if (!head.startsWith('HTTP/1.1 101')) throw new Error(head.split('\r\n')[0]);
  return socket;
}

/** One message as a browser sends it: a frame, masked with zeros, or the bytes alone. */
function message(data, protocol) {
  if (protocol === 'none') return data;
  const payload = protocol === 'base64' ? Buffer.from(data.toString('base64')) : data;
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const head = Buffer.alloc(2 + extended + 4);
  head[0] = protocol === 'base64' ? 0x81 : 0x82;
  head[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) head.writeUInt16BE(length, 2);
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

async function receive(socket, bytes, protocol) {
  let left = protocol === 'base64' ? (bytes * 4) / 3 : bytes;
  socket.on('data', (chunk) => {
    left -= chunk.length;
    if (left <= 0) socket.destroy();
  });
  await once(socket, 'close');
}

async function give(socket, bytes, protocol) {
  const chunks = Math.ceil(bytes / CHUNK_BYTES);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(chunks * CHUNK_BYTES));
  socket.write(message(size, protocol));
  const frame = message(Buffer.alloc(CHUNK_BYTES, 'x'), protocol);
  const done = once(socket, 'data');
  for (let i = 0; i < chunks; i++) if (!socket.write(frame)) await once(socket, 'drain');
  await done;
  socket.destroy();
}

async function throughput({ port, protocol, connections, bytes, way }) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port, protocol)));
  const act = way === 'source' ? receive : give;
  const begin = performance.now();
  await Promise.all(sockets.map((socket) => act(socket, bytes / connections, protocol)));
  return bytes / 1e6 / ((performance.now() - begin) / 1000);
}

async function roundTrips({ port, protocol, trips, quantile }) {
  const socket = await open(port, protocol);
  const frame = message(Buffer.alloc(64, 'x'), protocol);
  const times = [];
  for (let i = 0; i < trips; i++) {
    const begin = performance.now();
    socket.write(frame);
    await once(socket, 'data');
    times.push((performance.now() - begin) * 1000);
  }
  socket.destroy();
  return times.sort((a, b) => a - b)[Math.floor(trips * quantile)];
}

process.on('message', async (task) => {
  try {
    process.send({ result: await (task.way === 'echo' ? roundTrips(task) : throughput(task)) });
  } catch (error) {
    process.send({ error: String(error) });
  }
});
process.send({});
