// A server with a push server: any program of this user can follow it over a UNIX socket.
import { createServer } from 'node:http';
import { attach } from 'reqcast';
import { runIfMain, serve } from '../serve.js';

export async function start({ port }) {
  const server = createServer((_request, response) => response.writeHead(201).end());
  const live = attach(server, {
    pushServer: process.env.SOCKET_PATH ? { socketPath: process.env.SOCKET_PATH } : true,
  });
  await live.ready;
  console.log(`pushing on ${live.socketPath}`);
  return serve({ server, live, port });
}

await runIfMain(import.meta.url, start);
