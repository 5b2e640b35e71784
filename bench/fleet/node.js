/** One of two processes that share what is published: `KIND` says over what, `AT` where. Answers its parent's questions. */
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { attach, hostJournal } from '../../dist/index.js';
import { natsJournal } from '../../dist/nats.js';
import { redisJournal } from '../../dist/redis.js';

// Peers may be anywhere on NODE_PATH, which only this looks at.
const require = createRequire(import.meta.url);
const { KIND, AT } = process.env;
const server = createServer();
const redis = () => new (require('ioredis').Redis)(AT);
const nats = () => require('nats').connect({ servers: AT, maxReconnectAttempts: -1 });

const JOURNALS = {
  host: () => hostJournal({ socketPath: AT }),
  redis: () => redisJournal({ client: redis(), key: 'bench' }),
  nats: async () => natsJournal({ connection: await nats(), stream: 'bench' }),
};

async function start() {
  if (JOURNALS[KIND]) {
    const live = attach(server, { journal: await JOURNALS[KIND](), serverTiming: false });
    await live.ready;
    return (data) => live.notify('POST:/ginger/users', data);
  }
  const { Server } = require('socket.io');
  const adapter =
    KIND === 'streams'
      ? require('@socket.io/redis-streams-adapter').createAdapter(redis())
      : require('@socket.io/cluster-adapter').createAdapter();
  const io = new Server(server, { transports: ['websocket'], adapter });
  return (data) => io.emit('POST:/ginger/users', data);
}

const publish = await start();
server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () =>
  process.send({ port: server.address().port }),
);

const now = () => Number(process.hrtime.bigint() / 1000n);

/** As many as are due by now, looked at each millisecond if there are many. */
async function run(rate, ms) {
  const since = now();
  const all = (rate * ms) / 1000;
  let sent = 0;
  while (sent < all) {
    const due = Math.min(all, Math.floor(((now() - since) * rate) / 1e6) + 1);
    for (; sent < due; sent++) publish({ at: now() });
    const nextMs = since / 1000 + (sent / rate) * 1000 - now() / 1000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, nextMs)));
  }
  return sent;
}

let before = process.cpuUsage();
cluster.worker.process.on('message', async ({ ask, rate, ms }) => {
  if (ask === 'mark') before = process.cpuUsage();
  if (ask === 'publish') process.send({ sent: await run(rate, ms) });
  if (ask === 'cpu') {
    const { user, system } = process.cpuUsage(before);
    process.send({ cpu: user + system });
  }
});
