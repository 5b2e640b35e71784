import { createServer } from 'node:http';
import { attach, fileJournal } from '../../../dist/index.js';
import { app } from '../app.js';

/** Ours, with the request log in a file. */
export async function start(path) {
  const server = createServer(app);
  await attach(server, { journal: fileJournal({ path }) }).ready;
  return server;
}
