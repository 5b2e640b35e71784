import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');
const READMES = ['README.md', 'bench/README.md'];

/** What the charts' own program makes of these results, in a copy of the documents. */
function drawn(put: (results: string) => void): { read: (name: string) => string; charts: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'bench-test-'));
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  for (const name of READMES) cpSync(join(ROOT, name), join(root, name));
  put(join(root, 'bench/results'));
  execFileSync(process.execPath, [join(ROOT, 'bench/charts/draw.js'), root]);
  made.push(root);
  return { read: (name) => readFileSync(join(root, name), 'utf8'), charts: list(join(root, 'docs/bench')) };
}

const made: string[] = [];
afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true });
});

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

describe('what the repository shows of its benches', () => {
  const again = drawn((results) => {
    const kept = join(ROOT, 'bench/results');
    if (existsSync(kept)) cpSync(kept, results, { recursive: true });
  });

  test.each(READMES)('%s has the figures of the results', (name) => {
    expect(read(name)).toBe(again.read(name));
  });

  test('the charts are those of the results', () => {
    expect(list(join(ROOT, 'docs/bench'))).toEqual(again.charts);
    for (const chart of again.charts)
      expect(read(`docs/bench/${chart}`)).toBe(again.read(`docs/bench/${chart}`));
  });

  test('bench/README.md has a row for each bench', () => {
    const benches = readdirSync(join(ROOT, 'bench')).filter((name) =>
      existsSync(join(ROOT, 'bench', name, 'run.js')),
    );
    const rows = read('bench/README.md').match(/^\| .*/gm) ?? [];
    expect(benches.length).toBeGreaterThan(1);
    expect(benches.filter((name) => !rows.some((row) => row.includes(`${name}/run.js`)))).toEqual([]);
  });
});

describe('a result', () => {
  const about = { bench: 'host', machine: 'a machine', peers: { ws: '1.2.3' } };
  const figure = {
    title: 'p99 of requests',
    unit: 'ms',
    better: 'less',
    ours: 'reqcast',
    none: 'served no request',
    targets: [
      { of: 'none', most: 2 },
      { of: 'ws loop', most: 0.5 },
    ],
    rows: { reqcast: [12, 13, 14], 'ws loop': [null, null, 900], none: [4, 5, 6] },
  };
  const along = [1, 1000].map((N) => ({
    ...figure,
    title: `${N} open`,
    at: { N },
    targets: [{ most: 1e6 }],
    rows: { reqcast: [N] },
  }));
  const { read, charts } = drawn((results) => {
    writeFileSync(join(results, 'host.json'), JSON.stringify({ ...about, figures: [figure] }));
    writeFileSync(join(results, 'rate.json'), JSON.stringify({ ...about, bench: 'rate', figures: along }));
  });

  test('is a chart in each scheme', () => {
    expect(charts).toEqual(['host-dark.svg', 'host.svg', 'rate-dark.svg', 'rate.svg']);
    for (const chart of charts) expect(read(`docs/bench/${chart}`)).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('says in the chart that a rival has no value', () => {
    expect(read('docs/bench/host.svg')).toMatch(/>served no request<.*a machine/s);
  });

  test('is a row with its medians in README.md', () => {
    expect(read('README.md')).toContain(
      '| p99 of requests, ms | **13.0** | ws loop served no request<br>none 5.00 |',
    );
  });

  test('is a row with its spread in bench/README.md, which says whether the targets were met', () => {
    const [row] = /^\| p99 of requests.*$/m.exec(read('bench/README.md')) ?? [];
    expect(row).toContain('| **13.0 (12.0 to 14.0)** |');
    expect(row).toContain('missed: 2.60 of none, target at most 2');
    expect(row).toContain('met: ws loop served no request, target at most 0.5');
  });

  test('along an axis is a row for its end alone', () => {
    expect(read('README.md')).toContain('| 1000 open, ms');
    expect(read('README.md')).not.toContain('| 1 open, ms');
  });

  test('is among those that missed their targets, in bench/README.md', () => {
    const missed = read('bench/README.md').split('### Targets that were missed')[1];
    expect(missed?.match(/^- .*/gm)).toEqual([
      '- p99 of requests, ms: missed: 2.60 of none, target at most 2',
    ]);
  });
});
