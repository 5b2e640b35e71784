import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * One peer in a process of its own: `host.js PEER FILE`. Says `port N` first; each line is then answered with the
 * microseconds of CPU time so far, those of the kernel and of all threads included.
 */
const [peer, path] = process.argv.slice(2);
const { start } = await import(`./peers/${peer}.js`);
const server = await start(path);
await once(server.listen(0, '127.0.0.1'), 'listening');
console.log(`port ${server.address().port}`);

for await (const _line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  console.log(user + system);
}
process.exit();
