// The same app on several cores: three workers share a port, and with it one journal in one file.
import { createServer } from 'node:http';
import express from 'express';
import { attach, fileJournal, hostJournal } from 'reqcast';
import { serve } from '../serve.js';
import { DIRECTORY, runInWorkers } from './workers.js';

export async function start({ port }) {
  const app = express();
  app.post('/ginger/users', (_request, response) => response.status(201).json({ worker: process.pid }));

  const server = createServer(app);
  const journal = () => fileJournal({ path: `${DIRECTORY}/requests.jsonl` });
  const live = attach(server, { journal: hostJournal({ socketPath: `${DIRECTORY}/host`, journal }) });
  return serve({ server, live, port });
}

await runInWorkers(import.meta.url, start);
