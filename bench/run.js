// npm run bench [-- name…]: builds the library, runs the benches one after the other, and draws what they found.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { benches, missing } from './benches.js';

/** A bench that takes longer hangs; each is made to take 90 s. */
const LONGEST_MS = 10 * 60_000;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Runs a program with our output. What went wrong, in words, or nothing. */
function run(command, args, options) {
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status === 0) return undefined;
  return error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`);
}

function orEnd(what, problem) {
  if (!problem) return;
  console.error(`${what}: ${problem}`);
  process.exit(1);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !benches().includes(name));
if (unknown.length > 0) orEnd(`no bench ${unknown.join(', ')}`, `there are ${benches().join(', ')}`);

orEnd('npm run build', run('npm', ['run', '--silent', 'build'], { cwd: here('..') }));
if (!existsSync(here('node_modules'))) {
  console.log('bench/node_modules is missing: npm ci in bench/, for the peers');
  orEnd('npm ci', run('npm', ['ci'], { cwd: here('.') }));
}

const failed = [];
for (const name of asked.length > 0 ? asked : benches()) {
  const [lacks] = missing(name);
  if (lacks) {
    console.log(`\n== ${name}: skipped, ${lacks}`);
    continue;
  }
  console.log(`\n== ${name}`);
  const env = { ...process.env, BENCH_SAVE: '1' };
  const options = { cwd: here('.'), env, timeout: LONGEST_MS, killSignal: 'SIGKILL' };
  const problem = run(process.execPath, [`${name}/run.js`], options);
  if (problem) failed.push(`${name}: ${problem}`);
}

const undrawn = run(process.execPath, [here('charts/draw.js')]);
if (undrawn) failed.push(`charts: ${undrawn}`);
for (const failure of failed) console.error(`failed: ${failure}`);
process.exitCode = failed.length > 0 ? 1 : 0;
