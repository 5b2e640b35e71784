// Fastify: attach to fastify.server before listen.
import Fastify from 'fastify';
import { attach } from 'reqcast';
import { runIfMain } from '../serve.js';

export async function start({ port }) {
  const users = [];
  const fastify = Fastify();
  const live = attach(fastify.server, { params: true });
  // Fastify parses the body into its own request object; with `params` reqcast looks at Node's.
  fastify.addHook('preHandler', async (request) => {
    request.raw.body = request.body;
  });
  fastify.post('/ginger/users', async (request, reply) => {
    users.push(request.body.name);
    return reply.code(201).send({ name: request.body.name });
  });
  fastify.get('/ginger/users', async () => users);
  fastify.addHook('preClose', () => live.close());
  await live.ready;

  return {
    url: await fastify.listen({ port, host: '127.0.0.1' }),
    close: () => fastify.close(),
  };
}

await runIfMain(import.meta.url, start);
