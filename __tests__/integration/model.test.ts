import fc from 'fast-check';
import { Page } from '../support/model-page.ts';
import { ModelServer } from '../support/model-server.ts';
import {
  act,
  clientOf,
  commonSteps,
  maxTopics,
  runsOf,
  stepsOf,
  windowSize,
} from '../support/model-steps.ts';

/**
 * Random publishes, losses, restarts, stalls and changes of interest, held against a model that knows the whole
 * history: each frame must bring exactly what lies between two positions, or an explicit answer must cover the hole.
 */
const CLIENTS = 3;

const step = fc.oneof(
  ...commonSteps(CLIENTS),
  act(1, 'beat', clientOf(CLIENTS)),
  act(1, 'reset', fc.record({ unknown: fc.nat({ max: 3 }) })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(windowSize: number, maxTopics: number, steps: readonly Step[]) {
  const server = new ModelServer(windowSize, maxTopics);
  const pages = Array.from({ length: CLIENTS }, () => new Page(server));
  let published = 0;
  const sweep = async () => {
    await server.settled();
    for (const page of pages) page.settled();
  };
  for (const one of steps) {
    const page = pages['client' in one ? one.client : 0] as Page;
    if (one.act === 'publish') server.publish(one.topic, one.audience, ++published);
    else if (one.act === 'sweep') await sweep();
    else if (one.act === 'beat') {
      const { served } = page;
      page.beat();
      expect(page.served).toEqual(served);
    } else if (one.act === 'reset') server.lose(one.unknown);
    else if (one.act === 'restart') {
      await server.settled();
      for (const each of pages) each.disconnect();
      if (one.lost) server.lose(0);
      server.boot(Math.min(one.known, windowSize));
    } else page.obey(one);
  }
  for (const page of pages) {
    page.stall(false);
    page.connect();
  }
  await sweep();
}

test('each page ends with what the model says, or an answer covers the hole', async () => {
  await fc.assert(fc.asyncProperty(windowSize, maxTopics, stepsOf(step), play), runsOf('model', 2000));
}, 120_000);
