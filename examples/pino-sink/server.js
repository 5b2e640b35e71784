// Each request record goes to pino as a structured line, beside the journal.
import { createServer } from 'node:http';
import pino from 'pino';
import { attach } from 'reqcast';
import { runIfMain, serve } from '../serve.js';

export async function start({ port }) {
  const logger = pino();
  const server = createServer((_request, response) => response.end());
  const live = attach(server, {
    write: (record) => logger[record.outcome === 'completed' ? 'info' : 'warn'](record, record.message),
  });
  return serve({ server, live, port });
}

await runIfMain(import.meta.url, start);
