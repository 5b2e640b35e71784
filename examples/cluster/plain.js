// An Express app in one process.
import { createServer } from 'node:http';
import express from 'express';
import { runIfMain, serve } from '../serve.js';

export async function start({ port }) {
  const app = express();
  app.post('/ginger/users', (_request, response) => response.status(201).json({ worker: process.pid }));

  const server = createServer(app);
  return serve({ server, port });
}

await runIfMain(import.meta.url, start);
