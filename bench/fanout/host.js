import { createInterface } from 'node:readline';

/**
 * Who keeps to a share of the loop sleeps in between, and a core that slept is slower afterwards. Here nobody has
 * anything else to do, and the others do not sleep.
 */
const OPTIONS = { loopShare: 1 };

/**
 * One peer in a process of its own, told what to do by lines: `publish N`, answered with `published`, and `cpu`,
 * answered with the microseconds of CPU time so far, those of the kernel included. Says `port N` first.
 */
const { start } = await import(`./peers/${process.argv[2]}.js`);
const { port, publish } = await start(undefined, OPTIONS);
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
