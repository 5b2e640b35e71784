import http from 'node:http';
import { createInterface } from 'node:readline';

/**
 * The app's own requests, one every few milliseconds whether or not the last one was answered: `asker PORT`. Says
 * `asking`; the next line on stdin ends it, and is answered with the p99 in milliseconds.
 */
const EVERY_MS = 10;
const agent = new http.Agent({ keepAlive: true });
const times = [];
let open = 0;

function ask() {
  const began = performance.now();
  open++;
  http.get({ port: process.argv[2], host: '127.0.0.1', agent }, (response) => {
    response.resume().on('end', () => {
      open--;
      times.push(performance.now() - began);
    });
  });
}

ask();
while (open > 0) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
times.length = 0;
const asking = setInterval(ask, EVERY_MS);
console.log('asking');
for await (const _ of createInterface({ input: process.stdin })) {
  clearInterval(asking);
  while (open > 0) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  times.sort((a, b) => a - b);
  console.log(times[Math.floor(times.length * 0.99)]);
}
