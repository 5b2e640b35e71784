import { createServer } from 'node:http';
import { attach } from '../../../dist/index.js';
import { DATA, listen, TOPIC } from './peer.js';

/**
 * Ours: the whole library, with positions, patterns and audiences.
 *
 * @param onRequest what answers the app's own requests
 * @param options more of them
 */
export async function start(onRequest, options) {
  const server = createServer(onRequest);
  const live = attach(server, {
    authorize: ({ url }) => ['everyone', url.slice(url.indexOf('=') + 1)],
    maxConnectionsPerAddress: 20_000,
    ...options,
  });
  await live.ready;
  return {
    port: await listen(server),
    publish: (data = DATA) => live.notify(TOPIC, data, { audience: ['everyone'] }),
  };
}
