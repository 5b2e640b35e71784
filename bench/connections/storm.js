import { fileURLToPath } from 'node:url';
import { Figure } from '../support/figure.js';
import { Program } from '../support/program.js';
import { CLIENT_CORE, Rival } from './rival.js';

const CLIENTS = Number(process.env.CLIENTS ?? 5000);
/** How many entries old the position is with which each of them comes back. */
const MISSED = 100;

const asker = fileURLToPath(new URL('asker.js', import.meta.url));

/** All clients at once: a bare handshake for ws, and for ours until each one is authorized and has what it missed. */
export async function storm(rounds) {
  const title = `${CLIENTS} clients at once`;
  const cpu = new Figure({ title, unit: 'µs of CPU a client', better: 'less', ours: OURS });
  const took = new Figure({
    title: `${title}, until all are served`,
    unit: 'ms',
    better: 'less',
    ours: OURS,
  });
  const p99 = new Figure({
    title: `${title}, the app’s own requests, p99`,
    unit: 'ms',
    better: 'less',
    ours: OURS,
  });
  const rivals = [OURS, 'ws', 'socket.io'].map((name) => ({ name, rival: new Rival(name) }));
  for (const { rival } of rivals) await rival.start();
  for (let round = -1; round < rounds; round++)
    for (const { name, rival } of rivals) {
      const values = await measure(rival);
      // The first round warms up.
      if (round >= 0) for (const [i, figure] of [cpu, took, p99].entries()) figure.add(name, values[i]);
    }
  for (const { rival } of rivals) rival.end();
  return [cpu, took, p99];
}

const OURS = 'reqcast, authorizing';

async function measure(rival) {
  const since = await rival.ask('position');
  if (since !== '-') await rival.ask(`publish ${MISSED}`);
  const requests = new Program(CLIENT_CORE, process.execPath, asker, rival.port);
  await requests.next();
  const before = Number(await rival.ask('cpu'));
  const began = performance.now();
  await rival.connect(CLIENTS, { since, atOnce: CLIENTS });
  if (since !== '-') await rival.received(MISSED * CLIENTS);
  const took = performance.now() - began;
  const after = Number(await rival.ask('cpu'));
  const p99 = Number(await requests.ask('stop'));
  requests.end();
  await rival.disconnect();
  return [(after - before) / CLIENTS, took, p99];
}
