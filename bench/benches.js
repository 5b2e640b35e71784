import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** The Debian package of each program that a bench may need. */
const PACKAGES = {
  cc: 'gcc',
  taskset: 'util-linux',
  websockify: 'websockify',
  jq: 'jq',
  'redis-server': 'redis-server',
};

/** In the order in which they run and are shown: the title of the chart, and the programs without which it is skipped. */
const ABOUT = {
  host: { title: "What the app's own requests feel", needs: ['cc', 'taskset'] },
  fanout: { title: 'What it costs to tell many subscribers', needs: ['cc', 'taskset'] },
  rate: { title: 'What it costs when there is more to tell', needs: ['cc', 'taskset'] },
  groups: { title: 'What it costs when subscribers see different things', needs: ['cc', 'taskset'] },
  request: { title: 'What a request pays for its record', needs: ['taskset'] },
  journal: { title: 'The journal', needs: ['jq'] },
  connections: { title: 'What connections cost', needs: ['cc', 'taskset'] },
  tunnel: { title: 'What a tunnel carries', needs: ['websockify'] },
  size: { title: 'What a page loads', needs: [] },
  fleet: { title: 'Several processes', needs: ['redis-server'] },
};

/** The benches that are there: each folder with a `run.js`. */
export function benches() {
  const folders = readdirSync(new URL('.', import.meta.url));
  return folders
    .filter((name) => existsSync(new URL(`${name}/run.js`, import.meta.url)))
    .sort((a, b) => place(a) - place(b));
}

/** Where a bench comes in the order; one that is not known comes last. */
export function place(name) {
  const at = Object.keys(ABOUT).indexOf(name);
  return at === -1 ? Number.MAX_SAFE_INTEGER : at;
}

export function titleOf(name) {
  return ABOUT[name]?.title ?? name;
}

/** What a bench needs and this machine lacks, each with how to get it. */
export function missing(name) {
  const needs = ABOUT[name]?.needs ?? [];
  return needs
    .filter((program) => spawnSync('which', [program]).status !== 0)
    .map((program) => `${program} is missing: apt-get install ${PACKAGES[program]}`);
}
