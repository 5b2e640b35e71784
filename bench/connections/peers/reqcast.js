import { attach } from '../../../dist/index.js';
import { app, listen, TOPIC } from './peer.js';

/** Ours: the whole library, with positions, patterns and audiences. */
export async function start(options) {
  const server = app();
  const live = attach(server, options);
  await live.ready;
  return {
    server,
    port: await listen(server),
    publish: () => live.notify(TOPIC, { m: '\x7f' }),
    position: () => `${live.position.epoch}:${live.position.offset}`,
  };
}
