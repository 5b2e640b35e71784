// reqcast beside a plain node:http server: the server knows nothing of it.
import { createServer } from 'node:http';
import { attach } from 'reqcast';
import { runIfMain, serve } from '../serve.js';

export async function start({ port }) {
  const users = [];
  const server = createServer((request, response) => {
    if (request.method === 'POST' && request.url === '/ginger/users') {
      users.push(`user-${users.length + 1}`);
      response.writeHead(201).end();
      return;
    }
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(users));
  });
  const live = attach(server);
  return serve({ server, live, port });
}

await runIfMain(import.meta.url, start);
