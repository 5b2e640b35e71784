import { spawnSync } from 'node:child_process';

/**
 * `test`, or a skip that says in one line what is missing and how to get it. With `CI=true` a missing one fails.
 */
export function testWith(program: string, debianPackage: string): jest.It {
  if (spawnSync('which', [program]).status === 0 || process.env.CI === 'true') return test;
  console.info(`skipped: ${program} is missing; apt-get install ${debianPackage}`);
  return test.skip;
}
