// Koa: live.koa() tells reqcast of what only Koa knows, ctx.state.user and ctx.request.body.
import { createServer } from 'node:http';
import Koa from 'koa';
import { attach } from 'reqcast';
import { runIfMain, serve } from '../serve.js';

export async function start({ port }) {
  const users = [];
  const app = new Koa();
  const server = createServer();
  const live = attach(server);
  app.use(live.koa());
  app.use((ctx) => {
    ctx.state.user = { name: 'admin' };
    if (ctx.method === 'POST' && ctx.path === '/ginger/users') {
      users.push(`user-${users.length + 1}`);
      ctx.status = 201;
    }
    ctx.body = users;
  });
  server.on('request', app.callback());
  return serve({ server, live, port });
}

await runIfMain(import.meta.url, start);
