// Draws what is in bench/results, and writes it into the READMEs: node bench/charts/draw.js [the repository's folder]
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { place } from '../benches.js';
import { Figure } from '../support/figure.js';
import { chart } from './chart.js';
import { between, details, summary } from './markdown.js';
import { THEMES } from './theme.js';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('../..', import.meta.url)));
const [found, drawn] = [join(root, 'bench/results'), join(root, 'docs/bench')];

const results = jsonFiles(found)
  .map((file) => JSON.parse(readFileSync(join(found, file), 'utf8')))
  .map((result) => ({ ...result, figures: result.figures.map(Figure.from) }))
  .sort((a, b) => place(a.bench) - place(b.bench));

function jsonFiles(folder) {
  return existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];
}

// Charts of what is measured no longer go.
rmSync(drawn, { recursive: true, force: true });
if (results.length > 0) mkdirSync(drawn, { recursive: true });
for (const result of results) {
  writeFileSync(join(drawn, `${result.bench}.svg`), chart(result, THEMES.light));
  writeFileSync(join(drawn, `${result.bench}-dark.svg`), chart(result, THEMES.dark));
}
for (const [name, block] of [
  ['README.md', summary(results)],
  ['bench/README.md', details(results)],
]) {
  const file = join(root, name);
  writeFileSync(file, between(readFileSync(file, 'utf8'), block));
}
console.log(`\ndrawn: ${results.map(({ bench }) => bench).join(', ') || 'nothing, there are no results'}`);
