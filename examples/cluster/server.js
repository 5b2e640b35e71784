// Express on several cores: three workers share a port, and with it one journal in one file.
import cluster from 'node:cluster';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { attach, fileJournal, hostJournal } from 'reqcast';
import { runIfMain, serve } from '../serve.js';

export async function start({ port }) {
  const app = express();
  app.post('/ginger/users', (_request, response) => response.status(201).json({ worker: process.pid }));
  app.get('/logs', async (_request, response) => {
    const lines = [];
    for await (const { offset, node, request } of live.journal.query({ requests: true, limit: 50 }))
      lines.push(`${offset} worker ${node}: ${request.message}`);
    response.json(lines);
  });

  const server = createServer(app);
  const { DIRECTORY } = process.env;
  const live = attach(server, {
    journal: hostJournal({
      socketPath: join(DIRECTORY, 'host'),
      journal: () => fileJournal({ path: join(DIRECTORY, 'requests.jsonl') }),
    }),
  });
  return serve({ server, live, port });
}

/** Starts the workers, and another for each that dies. */
function fork() {
  const DIRECTORY = process.env.DIRECTORY ?? mkdtempSync(join(tmpdir(), 'reqcast-'));
  for (let i = 0; i < 3; i++) cluster.fork({ DIRECTORY });
  let ending = false;
  cluster.on('exit', () => !ending && cluster.fork({ DIRECTORY }));
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => {
      ending = true;
      for (const worker of Object.values(cluster.workers)) {
        worker.process.kill(signal);
        worker.disconnect();
      }
    });
}

if (cluster.isPrimary) fork();
else await runIfMain(import.meta.url, start);
