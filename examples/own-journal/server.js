// A server whose entries live where you say.
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attach } from 'reqcast';
import { runIfMain, serve } from '../serve.js';
import { jsonJournal } from './json-journal.js';

export async function start({ port }) {
  const server = createServer((_request, response) => response.end());
  const path = process.env.JOURNAL ?? join(tmpdir(), 'own-journal.json');
  const live = attach(server, { journal: jsonJournal({ path }) });
  return serve({ server, live, port });
}

await runIfMain(import.meta.url, start);
