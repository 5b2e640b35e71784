// Express 5: the topic comes from a route pattern, the User Log shows who and what.
import { createServer } from 'node:http';
import express from 'express';
import { attach } from 'reqcast';
import { runIfMain, serve } from '../serve.js';

export async function start({ port }) {
  const users = [];
  const app = express();
  app.use(express.json());
  app.post('/plugins/ginger/users', (request, response) => {
    users.push(request.body.name);
    response.status(201).json({ name: request.body.name });
  });
  app.get('/plugins/ginger/users', (_request, response) => response.json(users));
  app.get('/logs', async (_request, response) => {
    const records = [];
    for await (const entry of live.journal.query({ requests: true, limit: 50 })) records.push(entry.request);
    response.json(records);
  });

  const server = createServer(app);
  const live = attach(server, {
    routes: { '/plugins/:plugin/:entity/:id?/:action?': '/:plugin/:entity/:action' },
    announceLog: 'POST:/wok/logs',
    params: true,
  });
  return serve({ server, live, port });
}

await runIfMain(import.meta.url, start);
