// A plugin's page, bundled with reqcast/client by esbuild and served beside the API that it follows.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import express from 'express';
import { attach } from 'reqcast';
import { runIfMain, serve } from '../serve.js';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [here('ui.js')],
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
  });
  return outputFiles[0].text;
}

export async function start({ port }) {
  const [script, page] = await Promise.all([bundle(), readFile(here('index.html'), 'utf8')]);
  const users = ['admin'];
  const app = express();
  app.use(express.json());
  app.get('/', (_request, response) => response.type('html').send(page));
  app.get('/ui.js', (_request, response) => response.type('js').send(script));
  app.get('/ginger/users', (_request, response) => response.json(users));
  app.post('/ginger/users', (request, response) => {
    users.push(String(request.body.name));
    response.status(201).end();
  });

  const server = createServer(app);
  const live = attach(server);
  return serve({ server, live, port });
}

await runIfMain(import.meta.url, start);
