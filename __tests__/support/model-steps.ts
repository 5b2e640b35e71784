import fc from 'fast-check';
import { AUDIENCES, PATTERNS, TOPICS } from './model-server.ts';

/** A step of a kind, so often as its weight is among all weights. */
export const act = <A extends string, R extends object>(weight: number, name: A, more: fc.Arbitrary<R>) => ({
  weight,
  arbitrary: more.map((rest) => ({ act: name, ...rest })),
});

export const nothing = fc.constant({});

/** Whom a step concerns. */
export const clientOf = (clients: number) => fc.record({ client: fc.nat({ max: clients - 1 }) });

/** What befalls a page, in each model. */
export function pageSteps(clients: number) {
  const client = fc.nat({ max: clients - 1 });
  return [
    act(2, 'connect', fc.record({ client })),
    act(1, 'disconnect', fc.record({ client })),
    act(1, 'stall', fc.record({ client })),
    act(1, 'drain', fc.record({ client })),
    act(2, 'toggle', fc.record({ client, pattern: fc.constantFrom(...PATTERNS) })),
    act(1, 'meet', fc.record({ client, audience: fc.subarray(AUDIENCES) })),
  ] as const;
}
export type PageStep =
  ReturnType<typeof pageSteps>[number]['arbitrary'] extends fc.Arbitrary<infer Step> ? Step : never;

/** What befalls a server and its pages, in each model. */
export function commonSteps(clients: number) {
  return [
    act(
      6,
      'publish',
      fc.record({
        topic: fc.option(fc.constantFrom(...TOPICS), { nil: undefined, freq: 7 }),
        audience: fc.option(fc.subarray(AUDIENCES, { minLength: 1 }), { nil: undefined }),
      }),
    ),
    ...pageSteps(clients),
    act(3, 'sweep', nothing),
    act(1, 'restart', fc.record({ lost: fc.boolean(), known: fc.nat({ max: 6 }) })),
  ] as const;
}

/** How small the window and the memory of topics are. */
export const windowSize = fc.integer({ min: 1, max: 6 });
export const maxTopics = fc.integer({ min: 1, max: 8 });

/** @param step one of them */
export const stepsOf = <T>(step: fc.Arbitrary<T>) => fc.array(step, { maxLength: 80, size: 'max' });

/** Runs of a model, as many as `MODEL_RUNS` says; which ones `MODEL_SEED` says, which is printed. */
export function runsOf(model: string, usual: number): { numRuns: number; seed: number } {
  const numRuns = Number(process.env.MODEL_RUNS ?? usual);
  const seed = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 31);
  console.info(`${model}: ${numRuns} runs, MODEL_SEED=${seed}`);
  return { numRuns, seed };
}
