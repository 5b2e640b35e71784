import { createServer } from 'node:http';
import { attach } from '../../../dist/index.js';
import { app } from '../app.js';

/** Ours, as it is by default. */
export async function start() {
  const server = createServer(app);
  await attach(server).ready;
  return server;
}
