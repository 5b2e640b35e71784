// A serial console in the browser: xterm.js, the `binary` wire, and a machine's UNIX socket.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import express from 'express';
import { attach } from 'reqcast';
import { runIfMain, serve } from '../serve.js';
import { startMachines } from './machine.js';

const UI = new URL('./ui/', import.meta.url);

export async function start({ port }) {
  const [page, assets] = await Promise.all([readFile(new URL('index.html', UI), 'utf8'), bundle()]);
  const machines = await startMachines();
  const app = express();
  app.get('/', (_request, response) => response.type('html').send(page));
  for (const { path, contents } of assets) {
    const name = basename(path);
    app.get(`/${name}`, (_request, response) => response.type(name).send(Buffer.from(contents)));
  }

  const server = createServer(app);
  const live = attach(server, {
    proxy: {
      // A pretend machine has nothing to protect. A real one belongs behind your login, as in ../novnc.
      authorize: () => true,
      targets: { 'vm-42': { socketPath: machines.socketPath } },
    },
  });
  const { url, close } = await serve({ server, live, port });
  return { url, close: () => close().finally(machines.close) };
}

async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(UI),
    entryPoints: ['console.js', 'style.css'],
    outdir: '.',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
  });
  return outputFiles;
}

await runIfMain(import.meta.url, start);
