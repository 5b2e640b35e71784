import fc from 'fast-check';
import { Page } from '../support/model-page.ts';
import {
  act,
  clientOf,
  commonSteps,
  maxTopics,
  nothing,
  runsOf,
  stepsOf,
  windowSize,
} from '../support/model-steps.ts';
import { testWithNats } from '../support/nats.ts';
import { testWithRedis } from '../support/redis.ts';
import { type Begin, hostHistories, natsHistories, redisHistories } from '../support/shared-history.ts';
import { SharedServer } from '../support/shared-server.ts';

/**
 * The same model where another process publishes too, and what keeps the history dies, freezes and forgets: pages are
 * told what the journal delivered, or of the hole; and it delivers what was published, once and in order.
 */
const CLIENTS = 3;

const step = fc.oneof(
  ...commonSteps(CLIENTS),
  act(1, 'beat', clientOf(CLIENTS)),
  act(3, 'elsewhere', nothing),
  act(1, 'kill', nothing),
  act(1, 'pause', nothing),
  act(2, 'heal', nothing),
  act(1, 'forget', nothing),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(begin: Begin, windowSize: number, maxTopics: number, steps: readonly Step[]) {
  const server = await SharedServer.open(await begin(), windowSize, maxTopics);
  const pages = Array.from({ length: CLIENTS }, () => new Page(server));
  server.watch(() => {
    for (const page of pages) page.beat();
  });
  const sweep = async () => {
    await server.settled();
    for (const page of pages) page.settled();
  };
  for (const one of steps) {
    const page = pages['client' in one ? one.client : 0] as Page;
    if (one.act === 'publish') server.append(one.topic, one.audience);
    else if (one.act === 'elsewhere') server.appendElsewhere();
    else if (one.act === 'sweep') await sweep();
    else if (one.act === 'beat') page.beat();
    else if (one.act === 'kill') await server.kill();
    else if (one.act === 'pause') server.pause();
    else if (one.act === 'heal') await server.heal();
    else if (one.act === 'forget') await server.forget();
    else if (one.act === 'restart') {
      for (const each of pages) each.disconnect();
      await server.restart(one.lost, Math.min(one.known, windowSize));
    } else page.obey(one);
    // What the journal has to say comes between the steps too.
    await new Promise((done) => setImmediate(done));
  }
  for (const page of pages) {
    page.stall(false);
    page.connect();
  }
  await server.whole();
  await sweep();
  await server.end();
}

/** Another journal is another row. */
const JOURNALS = [
  ['redis', redisHistories, testWithRedis, 10],
  ['nats', natsHistories, testWithNats, 10],
  ['host', hostHistories, test, 10],
] as const;

for (const [kind, histories, testWhereThere, runs] of JOURNALS)
  testWhereThere(
    `over ${kind} each page ends with what the model says, or an answer covers the hole`,
    async () => {
      const begin = await histories();
      await fc.assert(
        fc.asyncProperty(windowSize, maxTopics, stepsOf(step), (...how) => play(begin, ...how)),
        { ...runsOf(`model over ${kind}`, runs), endOnFailure: true },
      );
    },
    120_000,
  );
