// Behind the tunnels: one port gives bytes without end, one takes them and says when it has all, one sends them back.
import { once } from 'node:events';
import net from 'node:net';

const CHUNK = Buffer.alloc(64 * 1024, 'x');

async function serve(handle) {
  const server = net.createServer({ noDelay: true }, (socket) => handle(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

const source = await serve((socket) => {
  const pump = () => {
    while (socket.write(CHUNK));
  };
  socket.on('drain', pump).resume();
  pump();
});

/** The first eight bytes tell how many follow; one byte comes back when all are there. */
const sink = await serve((socket) => {
  let left;
  socket.on('data', (chunk) => {
    left ??= Number(chunk.readBigUInt64BE(0)) + 8;
    left -= chunk.length;
    if (left === 0) socket.write('.');
  });
});

const echo = await serve((socket) => socket.pipe(socket));

process.send({ source, sink, echo });
