// Two servers over one Redis, behind a balancer that is not sticky.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runIfMain } from '../serve.js';
import { balancer } from './balancer.js';
import { openRedis } from './redis.js';

const PROGRAM = fileURLToPath(new URL('node.js', import.meta.url));
/** How long a node that was killed stays away, to be seen. */
const AWAY_MS = 4000;

export async function start({ port }) {
  const redis = await openRedis();
  const nodes = new Map();
  const ports = [];
  let ending = false;

  const run = async (name, at) => {
    const env = { ...process.env, NODE: name, PORT: ports[at] ?? 0, REDIS: redis.address };
    const node = fork(PROGRAM, { env });
    nodes.set(name, node);
    const [{ port }] = await once(node, 'message');
    ports[at] = port;
    node.on('message', ({ kill }) => nodes.get(kill)?.kill('SIGKILL'));
    node.once('exit', () => !ending && setTimeout(() => ending || run(name, at), AWAY_MS));
  };
  await Promise.all(['a', 'b'].map(run));

  const front = balancer(ports).listen(port, '127.0.0.1');
  await once(front, 'listening');
  const close = async () => {
    ending = true;
    front.close();
    const running = [...nodes.values()].filter(
      ({ exitCode, signalCode }) => exitCode === null && !signalCode,
    );
    for (const node of running) node.kill();
    await Promise.all(running.map((node) => once(node, 'exit')));
    await redis.close();
  };
  return { url: `http://127.0.0.1:${front.address().port}`, close };
}

await runIfMain(import.meta.url, start);
