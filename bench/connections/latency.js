import { setTimeout } from 'node:timers/promises';
import { Figure } from '../support/figure.js';
import { Rival } from './rival.js';

const NOTIFICATIONS = 100;
const IDLE_MS = 5;
/** A server that has been up for a while has compiled what it does. */
const FIRST = 2000;

/** From publishing, after a while of nothing, until the one subscriber has it. */
export async function latency(rounds) {
  const figure = new Figure({ title: 'one notification after idling, p50', unit: 'µs', better: 'less' });
  const rivals = ['reqcast', 'ws', 'socket.io'].map((name) => ({ name, rival: new Rival(name) }));
  for (const { rival } of rivals) {
    await rival.start();
    await rival.connect(1);
    for (let i = 0; i < FIRST; i++) {
      await rival.ask('publish 1');
      await rival.received(1);
    }
  }
  for (let round = 0; round < rounds; round++)
    for (const { name, rival } of rivals) figure.add(name, await measure(rival));
  for (const { rival } of rivals) rival.end();
  return [figure];
}

async function measure(rival) {
  const times = [];
  for (let i = 0; i < NOTIFICATIONS; i++) {
    await setTimeout(IDLE_MS);
    const began = BigInt(await rival.ask('publish 1'));
    await rival.received(1);
    times.push(Number((await rival.lastReceived()) - began) / 1000);
  }
  return times.sort((a, b) => a - b)[NOTIFICATIONS >> 1];
}
