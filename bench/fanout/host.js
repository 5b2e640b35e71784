import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';

/**
 * One peer in a process of its own, with the options that are given as JSON, told what to do by lines. Says `port N`
 * first, then answers
 * - `publish N`: with `published`,
 * - `pace RATE MS`, when it has published so many a second for so long: with how many it could,
 * - `cpu`: with the microseconds of CPU time so far, those of the kernel included.
 */
const { start } = await import(`./peers/${process.argv[2]}.js`);
const { port, publish } = await start(undefined, JSON.parse(process.argv[3]));
console.log(`port ${port}`);

/** Each by itself, and what is late at once. Who cannot keep up stops in time all the same. */
async function pace(rate, ms) {
  const began = performance.now();
  let published = 0;
  for (let past = 0; past < ms; past = performance.now() - began) {
    const due = (past * rate) / 1000;
    for (; published < due && performance.now() - began < ms; published++) publish();
    await setTimeout(Math.max(1, 1000 / rate));
  }
  return published;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...numbers] = line.split(' ');
  const [first, second] = numbers.map(Number);
  if (word === 'publish') {
    for (let i = 0; i < first; i++) publish();
    console.log('published');
  } else if (word === 'pace') console.log(await pace(first, second));
  else {
    const { user, system } = process.cpuUsage();
    console.log(user + system);
  }
}
process.exit();
