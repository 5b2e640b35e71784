import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
/** The kernel counts in hundredths of a second. */
const TICK_US = 10_000;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function untilUp(ask) {
  while (!(await ask().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Microseconds. */
function cpuOf({ pid }) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Rivals that need no server have nothing to count. */
export const none = (at) => ({ at, counts: async () => undefined, end() {} });

/** @param writes the command that adds; what a script calls belongs to its one command */
export async function redisServer(directory, writes) {
  const { Redis } = require('ioredis');
  const at = join(directory, `${writes}.sock`);
  const args = ['--port', '0', '--unixsocket', at, '--save', '', '--dir', directory];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const asking = new Redis(at, { retryStrategy: () => 50 }).on('error', () => {});
  await untilUp(() => asking.ping());
  return {
    at,
    /** Since its start. */
    async counts() {
      const used = (await asking.info('cpu')).matchAll(/used_cpu_(?:sys|user):([\d.]+)/g);
      const cpu = [...used].reduce((sum, [, seconds]) => sum + seconds * 1e6, 0);
      const told = [...(await asking.info('commandstats')).matchAll(/cmdstat_(\w+):calls=(\d+)/g)];
      const calls = Object.fromEntries(told.map(([, name, count]) => [name, Number(count)]));
      const reads = (calls.xread ?? 0) + (calls.xrange ?? 0);
      return { writes: calls[writes] ?? 0, reads, cpu };
    },
    end() {
      asking.disconnect();
      child.kill();
    },
  };
}

export async function natsServer(directory) {
  const [port, monitor] = [await freePort(), await freePort()];
  const args = ['-js', '-a', '127.0.0.1', '-p', String(port), '-m', String(monitor), '-sd', directory];
  const child = spawn('nats-server', args, { stdio: 'ignore' });
  const told = async (what) => (await fetch(`http://127.0.0.1:${monitor}/${what}`)).json();
  await untilUp(async () => (await told('healthz')).status === 'ok');
  return {
    at: `127.0.0.1:${port}`,
    /** All that its clients send it is either stored or asks for something. */
    async counts() {
      const { in_msgs: sent } = await told('varz');
      const { messages: writes = 0 } = await told('jsz');
      return { writes, reads: sent - writes, cpu: cpuOf(child) };
    },
    end: () => child.kill(),
  };
}
