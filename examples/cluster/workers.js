// node:cluster, as for any app.
import cluster from 'node:cluster';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runIfMain } from '../serve.js';

const WORKERS = 3;

/** Of this run's own, unless one is given; the workers inherit it. */
process.env.DIRECTORY ??= mkdtempSync(join(tmpdir(), 'reqcast-'));
export const { DIRECTORY } = process.env;

/** Starts the example in each worker, and another worker for each that dies. */
export async function runInWorkers(moduleUrl, start) {
  if (cluster.isWorker) return runIfMain(moduleUrl, start);
  console.log(`the journal is ${DIRECTORY}/requests.jsonl`);
  for (let i = 0; i < WORKERS; i++) cluster.fork();
  let ending = false;
  cluster.on('exit', () => ending || cluster.fork());
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => {
      ending = true;
      for (const worker of Object.values(cluster.workers)) {
        worker.process.kill(signal);
        worker.disconnect();
      }
    });
}
