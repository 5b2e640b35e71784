// One of the servers. All that it shares with the other is the journal.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { attach } from 'reqcast';
import { redisJournal } from 'reqcast/redis';

const { NODE: name, PORT, REDIS } = process.env;

const CLIENT = fileURLToPath(import.meta.resolve('reqcast/client.global.js'));
const FILES = {
  '/': ['text/html', new URL('ui/index.html', import.meta.url)],
  '/ui.js': ['text/javascript', new URL('ui/ui.js', import.meta.url)],
  '/style.css': ['text/css', new URL('ui/style.css', import.meta.url)],
  '/reqcast.js': ['text/javascript', CLIENT],
};

const server = createServer(async (request, response) => {
  // Each request a connection of its own, so that the balancer can send each elsewhere.
  response.setHeader('Connection', 'close');
  const json = (value) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
  const { pathname } = new URL(request.url, 'http://node');
  const file = FILES[pathname];
  if (file) response.setHeader('Content-Type', file[0]).end(await readFile(file[1]));
  else if (pathname === '/journal') json(await ticksOf(live.journal));
  else if (request.method !== 'POST') response.writeHead(404).end();
  else {
    json({ node: name });
    const victim = /^\/nodes\/(\w+)\/kill$/.exec(pathname)?.[1];
    if (victim) process.send({ kill: victim });
  }
});

const live = attach(server, {
  journal: redisJournal({ client: new Redis(REDIS), node: name }),
  routes: { '/ticks/:id': '/ticks', '/nodes/:name/kill': '/nodes/kill' },
  routeData: true,
  authorize: (request) => {
    const page = new URL(request.url, 'http://node').searchParams.get('page');
    // The page hears from the journal which node its WebSocket is on.
    if (page) live.notify('PAGE:/whereabouts', { page, node: name });
    return true;
  },
});

async function ticksOf(journal) {
  const ticks = {};
  for await (const { node, request } of journal.query({ topic: 'POST:/ticks', limit: 1000 }))
    ticks[request.url.split('/').at(-1)] = node;
  return ticks;
}

await live.ready;
server.listen(Number(PORT), '127.0.0.1', () => process.send({ port: server.address().port }));
process.once('SIGTERM', async () => {
  await live.close();
  process.exit();
});
