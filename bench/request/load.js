import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

/**
 * Makes the requests: `load.js PORT METHOD`, with `subscriber` behind it also one that follows everything. Says
 * `ready` first. Each line is a number of milliseconds; it is answered with `{ requests, ms, p99, heard }`: how many
 * were answered, in which time, the 99th percentile of milliseconds for one, and the bytes that the subscriber got.
 *
 * The connections are kept alive, and each has one request under way at a time, as browsers and proxies do. Of a
 * response only the length is looked at, so one core makes more requests than any server on another answers.
 */
const CONNECTIONS = 64;

const [port, method, subscribed] = process.argv.slice(2);
const body = JSON.stringify({ name: 'Ada Lovelace', groups: ['admins', 'users'], shell: '/bin/bash' });
const head = [
  `${method} /ginger/users HTTP/1.1`,
  `Host: localhost:${port}`,
  'User-Agent: bench',
  'Accept: */*',
];
if (method !== 'GET') head.push('Content-Type: application/json', `Content-Length: ${body.length}`);
const request = `${head.join('\r\n')}\r\n\r\n${method === 'GET' ? '' : body}`;

let until = 0;
let busy = 0;
let done = () => {};
let taken = [];

/** One connection; returns what makes it ask, and ask again until the time is up. */
async function connect() {
  const socket = net.connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  let size = 0;
  let had = 0;
  let askedAt = 0;
  const ask = () => {
    askedAt = performance.now();
    socket.write(request);
  };
  socket.on('data', (chunk) => {
    had += chunk.length;
    size ||= sizeOf(chunk.toString());
    if (had < size) return;
    had = 0;
    const now = performance.now();
    taken.push(now - askedAt);
    if (now < until) ask();
    else if (--busy === 0) done();
  });
  socket.on('close', () => {
    throw new Error('the server closed a connection');
  });
  return ask;
}

/** All responses are of one length. */
function sizeOf(response) {
  if (!/^HTTP\/1.1 20[01] /.test(response)) throw new Error(response);
  const [, length] = response.match(/\r\nContent-Length: (\d+)/i);
  return response.indexOf('\r\n\r\n') + 4 + Number(length);
}

/** Waking somebody is work, and it would be the server's: the more, the longer it lets its clients sleep. */
function stayAwake() {
  if (busy > 0) setImmediate(stayAwake);
}

let heard = 0;
if (subscribed) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/websockify`, 'reqcast.v1');
  await once(socket, 'open');
  socket.send('since -\n+*:/**');
  await once(socket, 'message');
  socket.on('message', (frame) => {
    heard += frame.length;
  });
}
const connections = await Promise.all(Array.from({ length: CONNECTIONS }, connect));
console.log('ready');

for await (const line of createInterface({ input: process.stdin })) {
  taken = [];
  heard = 0;
  busy = CONNECTIONS;
  const from = performance.now();
  until = from + Number(line);
  const all = new Promise((resolve) => {
    done = resolve;
  });
  for (const ask of connections) ask();
  stayAwake();
  await all;
  const ms = performance.now() - from;
  const p99 = taken.sort((a, b) => a - b)[Math.floor(taken.length * 0.99)];
  console.log(JSON.stringify({ requests: taken.length, ms, p99, heard }));
}
