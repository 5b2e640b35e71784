import { createInterface } from 'node:readline';

/**
 * An app with one peer, told what to do by lines: `rate N` publishes so many a second from then on and is answered with
 * how many were published since the last such line; `memory` is answered with the resident megabytes. Says `port N`
 * first.
 */
const ANSWER = `${JSON.stringify({ users: Array.from({ length: 10 }, (_, id) => ({ id, name: `user ${id}` })) })}\n\n\n`;
const PUBLISH_EACH_MS = 5;

const { start } = await import(`../fanout/peers/${process.argv[2]}.js`);
const { port, publish } = await start((_request, response) =>
  response
    .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': ANSWER.length })
    .end(ANSWER),
);
console.log(`port ${port}`);

let perMs = 0;
let since = 0;
let published = 0;
setInterval(() => {
  // What a late timer left out is made up for, as requests that wait would be.
  for (const due = (performance.now() - since) * perMs; published < due; published++)
    publish({ m: '\x7f', t: Number(process.hrtime.bigint() / 1000n) });
}, PUBLISH_EACH_MS);

for await (const line of createInterface({ input: process.stdin })) {
  const [word, rate] = line.split(' ');
  if (word === 'rate') {
    console.log(published);
    perMs = Number(rate) / 1000;
    since = performance.now();
    published = 0;
  } else console.log(process.memoryUsage.rss() / 2 ** 20);
}
process.exit();
