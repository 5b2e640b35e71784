/** One of two processes that share what is published: `KIND` says over what, `AT` where. Answers its parent's questions. */
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { attach, hostJournal } from '../../dist/index.js';
import { redisJournal } from '../../dist/redis.js';

// Peers may be anywhere on NODE_PATH, which only this looks at.
const require = createRequire(import.meta.url);
const { KIND, AT } = process.env;
const { Redis } = require('ioredis');
const server = createServer();

const JOURNALS = {
  host: () => hostJournal({ socketPath: AT }),
  redis: () => redisJournal({ client: new Redis(AT), key: 'bench' }),
};

async function start() {
  if (JOURNALS[KIND]) {
    const live = attach(server, { journal: JOURNALS[KIND](), serverTiming: false });
    await live.ready;
    return (data) => live.notify('POST:/ginger/users', data);
  }
  const { Server } = require('socket.io');
  const adapter =
    KIND === 'streams'
      ? require('@socket.io/redis-streams-adapter').createAdapter(new Redis(AT))
      : require('@socket.io/cluster-adapter').createAdapter();
  const io = new Server(server, { transports: ['websocket'], adapter });
  return (data) => io.emit('POST:/ginger/users', data);
}

const publish = await start();
server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () =>
  process.send({ port: server.address().port }),
);

const now = () => Number(process.hrtime.bigint() / 1000n);

/** As many as are due by now, looked at each millisecond. */
async function run(rate, ms) {
  const since = now();
  let sent = 0;
  while (sent < (rate * ms) / 1000) {
    const due = Math.min((rate * ms) / 1000, Math.floor(((now() - since) * rate) / 1e6) + 1);
    for (; sent < due; sent++) publish({ at: now() });
    await new Promise((resolve) => setTimeout(resolve, 1));
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
