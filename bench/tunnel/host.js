// One way to carry a client's bytes to a socket: `host.js KIND TARGET-PORT`. Says "port N".
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { WebSocketServer } from 'ws';
import { attach } from '../../dist/index.js';

const [kind, targetPort] = process.argv.slice(2);
const target = { port: Number(targetPort), host: '127.0.0.1' };

const kinds = {
  reqcast() {
    const server = http.createServer();
    attach(server, { authorize: () => true, proxy: { targets: { bench: target } } });
    return server;
  },

  'net-pipe': () =>
    net.createServer({ noDelay: true }, (client) => {
      const socket = net.connect({ ...target, noDelay: true });
      client.pipe(socket).pipe(client);
      client.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.on('error', () => client.destroy());
    }),

  'ws-pipe'() {
    const server = http.createServer();
    const wss = new WebSocketServer({ server, perMessageDeflate: false });
    wss.on('connection', (ws) => {
      const socket = net.connect({ ...target, noDelay: true });
      socket.on('data', (chunk) => {
        ws.send(chunk, () => {
          if (ws.bufferedAmount < 65536) socket.resume();
        });
        if (ws.bufferedAmount > 262144) socket.pause();
      });
      ws.on('message', (data) => {
        if (!socket.write(data)) ws.pause();
      });
      socket.on('drain', () => ws.resume());
      socket.on('end', () => ws.close()).on('error', () => ws.terminate());
      ws.on('close', () => socket.destroy()).on('error', () => socket.destroy());
    });
    return server;
  },
};

const server = kinds[kind]().listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(`port ${server.address().port}`);
