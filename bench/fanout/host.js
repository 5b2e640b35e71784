import { createInterface } from 'node:readline';

/**
 * One peer in a process of its own, told what to do by lines: `publish N`, answered with `published`, and `cpu`,
 * answered with the microseconds of CPU time so far, those of the kernel included. Says `port N` first.
 */
const { start } = await import(`./peers/${process.argv[2]}.js`);
const { port, publish } = await start();
console.log(`port ${port}`);

for await (const line of createInterface({ input: process.stdin })) {
  const [word, times] = line.split(' ');
  if (word === 'publish') {
    for (let i = 0; i < Number(times); i++) publish();
    console.log('published');
  } else {
    const { user, system } = process.cpuUsage();
    console.log(user + system);
  }
}
process.exit();
