import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';

/** What was published, or has gone, is done with by then. */
const SETTLE_MS = 150;

/**
 * One peer in a process of its own, told what to do by lines. Says `port N` first, then answers
 * - `publish N`: with when it began, in nanoseconds of the monotonic clock,
 * - `position`: with `epoch:offset`, or `-`,
 * - `cpu`: with the microseconds of CPU time so far, those of the kernel included,
 * - `memory`: with the bytes of the process and of the heap, garbage collected,
 * - `empty`: once nobody is connected.
 */
const { start } = await import(`./peers/${process.argv[2]}.js`);
const { server, port, publish, position } = await start();

const answers = {
  async publish(times) {
    const began = process.hrtime.bigint();
    for (let i = 0; i < Number(times); i++) publish();
    // The answer takes time as well, which must not come before what leaves in the next turn.
    await setTimeout(1);
    return began;
  },
  position: () => position?.() ?? '-',
  cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  async memory() {
    for (let i = 0; i < 3; i++) {
      await setTimeout(SETTLE_MS);
      globalThis.gc();
    }
    const { rss, heapUsed } = process.memoryUsage();
    return `${rss} ${heapUsed}`;
  },
  async empty() {
    while (await new Promise((resolve) => server.getConnections((_, count) => resolve(count))))
      await setTimeout(10);
    await setTimeout(SETTLE_MS);
    return 'empty';
  },
};

console.log(`port ${port}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [word, argument] = line.split(' ');
  console.log(String(await answers[word](argument)));
}
process.exit();
