import { createServer } from 'node:http';
import { app } from '../app.js';

/** Nobody looks on. */
export function start() {
  return createServer(app);
}
