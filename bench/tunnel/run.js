// What a tunnel carries, beside its peers in the same run. Rounds are interleaved, so that whatever else the machine
// does concerns all alike; what is printed is the median, with the least and the most.
import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, megabytes: { type: 'string', default: '128' } },
});
const rounds = Number(values.rounds);
const bytes = Number(values.megabytes) * 1e6;
const started = [];
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** A process of ours: its port is the first thing that it says. */
async function run(name, ...args) {
  const child = fork(new URL(name, import.meta.url), args, { execArgv: [] });
  started.push(child);
  const [ready] = await once(child, 'message');
  return { child, ...ready };
}

async function runWebsockify(target) {
  const port = await freePort();
  const child = spawn('websockify', [`127.0.0.1:${port}`, `127.0.0.1:${target}`], { stdio: 'ignore' });
  started.push(child);
  for (let tries = 0; ; tries++) {
    const socket = net.connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => tries > 100,
    );
    socket.destroy();
    if (open) return { port };
    await pause(50);
  }
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const target = await run('target.js');
const client = await run('client.js');
const peers = [];
for (const kind of ['reqcast', 'ws-pipe', 'net-pipe']) {
  const { ports } = await run('peer.js', kind, target.source, target.sink, target.echo);
  if (kind === 'reqcast') peers.push({ name: 'reqcast binary', ports, protocol: 'binary' });
  if (kind === 'reqcast') peers.push({ name: 'reqcast base64', ports, protocol: 'base64' });
  if (kind === 'ws-pipe') peers.push({ name: '30 lines of ws', ports, protocol: 'binary' });
  if (kind === 'net-pipe') peers.push({ name: 'bare net pipe', ports, protocol: 'none' });
}
const hasWebsockify = spawnSync('which', ['websockify']).status === 0;
if (hasWebsockify) {
  const ports = {};
  for (const way of ['source', 'sink', 'echo']) ports[way] = (await runWebsockify(target[way])).port;
  peers.push({ name: 'websockify', ports, protocol: 'binary' });
} else console.log('websockify is missing: apt-get install websockify\n');

const measures = [
  { name: 'to the client, 1', unit: 'MB/s', task: { way: 'source', connections: 1, bytes } },
  { name: 'to the client, 16', unit: 'MB/s', task: { way: 'source', connections: 16, bytes } },
  { name: 'to the target, 1', unit: 'MB/s', task: { way: 'sink', connections: 1, bytes } },
  { name: 'to the target, 16', unit: 'MB/s', task: { way: 'sink', connections: 16, bytes } },
  { name: 'round trip p50', unit: 'µs', task: { way: 'echo', trips: 2000, quantile: 0.5 } },
  { name: 'round trip p99', unit: 'µs', task: { way: 'echo', trips: 2000, quantile: 0.99 } },
];

async function measure(peer, { task }) {
  client.child.send({ ...task, port: peer.ports[task.way], protocol: peer.protocol });
  const [{ result, error }] = await once(client.child, 'message');
  if (error) throw new Error(`${peer.name}: ${error}`);
  return result;
}

const results = new Map(peers.map((peer) => [peer, measures.map(() => [])]));
for (let round = 0; round <= rounds; round++) {
  for (const [i, what] of measures.entries())
    for (const peer of peers) {
      const result = await measure(peer, what);
      // The first round warms up.
      if (round > 0) results.get(peer)[i].push(result);
    }
  process.stderr.write(`\rround ${round} of ${rounds} `);
}
process.stderr.write('\r');

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const websockify = peers.find(({ name }) => name === 'websockify');
for (const [i, { name, unit }] of measures.entries()) {
  console.log(`${name}, ${unit}`);
  for (const peer of peers) {
    const list = results.get(peer)[i];
    const ratio = websockify
      ? `${(median(list) / median(results.get(websockify)[i])).toFixed(2)} x websockify`
      : '';
    const spread = `${Math.min(...list).toFixed(0)} to ${Math.max(...list).toFixed(0)}`;
    console.log(
      `  ${peer.name.padEnd(16)} ${median(list).toFixed(0).padStart(6)}   ${spread.padEnd(16)} ${ratio}`,
    );
  }
}
const version = hasWebsockify
  ? spawnSync('dpkg-query', ['-W', 'websockify'], { encoding: 'utf8' }).stdout.trim().split('\t')[1]
  : 'none';
console.log(
  `\n${os.cpus()[0]?.model}, ${os.cpus().length} cores, Linux ${os.release()}, Node ${process.version}, websockify ${version}`,
);
console.log(`median of ${rounds} rounds (least to most) of ${bytes / 1e6} MB, all over 127.0.0.1`);
process.exit();
