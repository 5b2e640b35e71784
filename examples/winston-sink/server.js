// Each request record goes to winston as a structured line, beside the journal.
import { createServer } from 'node:http';
import { attach } from 'reqcast';
import winston from 'winston';
import { runIfMain, serve } from '../serve.js';

export async function start({ port }) {
  const logger = winston.createLogger({
    format: winston.format.json(),
    transports: [new winston.transports.Console()],
  });
  const server = createServer((_request, response) => response.end());
  const live = attach(server, {
    write: ({ message, ...record }) => logger.info(message, record),
  });
  return serve({ server, live, port });
}

await runIfMain(import.meta.url, start);
