import { createServer } from 'node:http';
import { attach } from '../../../dist/index.js';
import { listen, TOPIC } from './peer.js';

/** Ours: the whole library, with positions, patterns and audiences. */
export async function start() {
  const server = createServer();
  const live = attach(server, {
    authorize: ({ url }) => ['everyone', url.slice(url.indexOf('=') + 1)],
    maxConnectionsPerAddress: 20_000,
  });
  await live.ready;
  return {
    port: await listen(server),
    publish: () => live.notify(TOPIC, { m: '\x7f' }, { audience: ['everyone'] }),
  };
}
