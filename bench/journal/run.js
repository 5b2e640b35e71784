// Appending in bursts, the newest entries of a large file, and searches through all of one. Data is on the disk of
// os.tmpdir(), and in the page cache when it is read. A search and jq have one core; appending has the machine.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';
import { writeHistory } from './requests.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const MEGABYTES = Number(process.env.MEGABYTES ?? 100);
/** In each round, after those that warm the process up. */
const BURSTS = 3;
const WANTED = { user: 'root', status: 500 };
const JQ = 'select(.request.user=="root" and .request.status==500)';

const folder = mkdtempSync(join(tmpdir(), 'bench-journal-'));
process.once('exit', () => rmSync(folder, { recursive: true }));

const run = (command, ...args) =>
  execFileSync(command, args, { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'inherit'] });
const onOneCore = (...command) => run('taskset', '-c', '1', ...command);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const append = (...args) => JSON.parse(run(process.execPath, here('append.js'), ...args));
const query = (path, wanted) =>
  JSON.parse(onOneCore(process.execPath, here('query.js'), path, JSON.stringify(wanted)));

const figures = [];
const figure = (about) => {
  const made = new Figure(about);
  figures.push(made);
  return made;
};

for (const perTick of [100, 20_000]) {
  const shape = perTick === 20_000 ? '20,000 in one tick' : '20,000, 100 in each tick';
  const rate = figure({
    title: `Append ${shape}`,
    unit: 'entries a second',
    better: 'more',
    targets: [{ least: 200_000 }],
  });
  const rest = figure({
    title: `Append ${shape}: the longest turn without the caller's loop`,
    unit: 'ms',
    better: 'less',
    targets: [{ most: 10 }],
  });
  const own = figure({ title: `Append ${shape}: the caller's longest loop`, unit: 'ms', better: 'less' });
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, rival] of Object.entries({ reqcast: 'journal', 'fs.WriteStream': 'stream' }))
      for (const result of append(rival, join(folder, `${rival}-${perTick}-${round}`), perTick, BURSTS)) {
        rate.add(name, result.rate);
        rest.add(name, result.rest);
        own.add(name, result.own);
      }
}

const path = join(folder, 'requests.jsonl');
const tailTime = figure({ title: 'The newest 50', unit: 'ms', better: 'less', ours: 'of 1 GB' });
const tailBytes = figure({
  title: 'The newest 50',
  unit: 'KB read',
  better: 'less',
  ours: 'of 1 GB',
  targets: [{ of: 'of 1 MB', most: 1.1 }],
});
for (const [name, bytes] of Object.entries({ 'of 1 MB': 1e6, 'of 1 GB': 1e9 })) {
  writeHistory(path, bytes);
  for (let round = 0; round < ROUNDS; round++) {
    const { seconds, bytes } = query(path, { limit: 50 });
    tailTime.add(name, seconds * 1000);
    tailBytes.add(name, bytes / 1000);
  }
}

const small = join(folder, 'small.jsonl');
writeHistory(small, 16e6);
writeHistory(path, MEGABYTES * 1e6);
const about = `Search ${MEGABYTES} MB for a user and a status`;
const speed = figure({
  title: about,
  unit: 'MB a second',
  better: 'more',
  targets: [{ of: 'jq', least: 3 }],
});
const block = figure({ title: `${about}: the longest turn`, unit: 'ms', better: 'less' });
const memory = figure({ title: `${about}: the process`, unit: 'MB', better: 'less' });
const size = statSync(path).size / 1e6;
const found = query(path, { ...WANTED, tasks: 'separate' }).count;
const search = (name, searched, wanted) => {
  const result = query(searched, wanted);
  block.add(name, result.blockMs);
  memory.add(name, result.rssMegabytes);
  return result;
};
for (let round = 0; round < ROUNDS; round++) {
  speed.add('reqcast', size / search('reqcast', path, WANTED).seconds);
  speed.add(
    'for a part of the URL',
    size / search('for a part of the URL', path, { url: 'nowhere' }).seconds,
  );
  search('in 16 MB', small, WANTED);
  const began = performance.now();
  const lines = onOneCore('jq', '-c', JQ, path).toString().split('\n').length - 1;
  speed.add('jq', size / ((performance.now() - began) / 1000));
  if (lines !== found) throw new Error(`jq found ${lines} lines, and we ${found}`);
}
report('journal', figures);
