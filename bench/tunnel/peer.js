// One way to carry a browser's bytes to a socket, for each port of the target.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { WebSocketServer } from 'ws';
import { attach } from '../../dist/index.js';

const [kind, source, sink, echo] = process.argv.slice(2);

const kinds = {
  reqcast(port) {
    const server = http.createServer();
    const targets = { bench: { host: '127.0.0.1', port } };
    attach(server, { authorize: () => true, proxy: { targets } });
    return server;
  },

  'net-pipe': (port) =>
    net.createServer({ noDelay: true }, (client) => {
      const target = net.connect({ port, host: '127.0.0.1', noDelay: true });
      client.pipe(target).pipe(client);
      client.on('error', () => target.destroy()).on('close', () => target.destroy());
      target.on('error', () => client.destroy());
    }),

  'ws-pipe'(port) {
    const server = http.createServer();
    const wss = new WebSocketServer({ server, perMessageDeflate: false });
    wss.on('connection', (ws) => {
      const target = net.connect({ port, host: '127.0.0.1', noDelay: true });
      target.on('data', (chunk) => {
        ws.send(chunk, () => {
          if (ws.bufferedAmount < 65536) target.resume();
        });
        if (ws.bufferedAmount > 262144) target.pause();
      });
      ws.on('message', (data) => {
        if (!target.write(data)) ws.pause();
      });
      target.on('drain', () => ws.resume());
      target.on('end', () => ws.close()).on('error', () => ws.terminate());
      ws.on('close', () => target.destroy()).on('error', () => target.destroy());
    });
    return server;
  },
};

const ports = {};
for (const [way, port] of Object.entries({ source, sink, echo })) {
  const server = kinds[kind](Number(port)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports[way] = server.address().port;
}
process.send({ ports });
