import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The Redis at REDIS_URL, or one of our own on a UNIX socket, which keeps on its disk what it was given. */
export async function openRedis() {
  if (process.env.REDIS_URL) return { address: process.env.REDIS_URL, close: () => {} };
  const directory = await mkdtemp(join(tmpdir(), 'two-nodes-'));
  const address = join(directory, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', address, '--dir', directory, '--appendonly', 'yes'];
  const redis = spawn('redis-server', [...args, '--save', ''], { stdio: ['ignore', 'pipe', 'inherit'] });
  const missing = new Promise((_, reject) => redis.once('error', reject));
  for (let said = ''; !/ready to accept connections/i.test(said); ) {
    try {
      const [piece] = await Promise.race([once(redis.stdout, 'data'), missing]);
      said += piece;
    } catch {
      await rm(directory, { recursive: true });
      throw new Error('redis-server is missing. Try: apt-get install redis-server, or set REDIS_URL.');
    }
  }
  redis.stdout.resume();
  const close = async () => {
    redis.kill();
    await once(redis, 'exit');
    await rm(directory, { recursive: true, force: true });
  };
  return { address, close };
}
