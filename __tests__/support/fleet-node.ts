/** One node of `fleet.ts`: a server with an attachment that publishes by itself until it is told to stop. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { connect } from 'nats';
import { attach, fileJournal, hostJournal, type Journal } from '../../lib/index.ts';
import { natsJournal } from '../../lib/journal/nats/index.ts';
import { redisJournal } from '../../lib/journal/redis/index.ts';

const EVERY_MS = 20;
const TOPICS = 20;

const [kind, at, run] = process.argv.slice(2) as [string, string, string];

const journals: Record<string, () => Journal | Promise<Journal>> = {
  redis: () => {
    const client = new Redis({ port: Number(at), host: '127.0.0.1', lazyConnect: true });
    client.on('error', () => {});
    return redisJournal({ client, node: run });
  },
  nats: async () => {
    const often = { reconnectTimeWait: 20, reconnectJitter: 0, maxReconnectAttempts: -1 };
    return natsJournal({ connection: await connect({ servers: `127.0.0.1:${at}`, ...often }), node: run });
  },
  host: () => hostJournal({ socketPath: at, node: run, journal: () => fileJournal({ path: `${at}.jsonl` }) }),
};

async function work() {
  const server = http.createServer();
  const journal = await (journals[kind] as () => Journal | Promise<Journal>)();
  const live = attach(server, { journal, authorize: () => true, onError: () => {} });
  let n = 0;
  const publishing = setInterval(() => {
    n++;
    live.notify(`POST:/t/${n % TOPICS}`, { run, n });
  }, EVERY_MS);
  process.on('message', async () => {
    clearInterval(publishing);
    await journal.flush();
    process.send?.({ published: n });
  });
  await live.ready;
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
}

// The parent is gone: so is what it wanted.
process.on('disconnect', () => process.exit());
void work();
