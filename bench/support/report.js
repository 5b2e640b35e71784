import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';

/** What the figures were measured on, in a line. */
export function machine() {
  const cpus = os.cpus();
  return `${cpus[0]?.model}, ${cpus.length} cores, Linux ${os.release()}, Node ${process.version}`;
}

/** Prints the figures; with `BENCH_SAVE` in the environment they are kept in `results/` too, for the charts. */
export function report(bench, figures) {
  for (const figure of figures) figure.print();
  console.log(`\nmedians (least to most) of one run, rivals interleaved; ${machine()}`);
  if (!process.env.BENCH_SAVE) return;
  const folder = new URL('../results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url)));
  const saved = { bench, machine: machine(), peers: dependencies, figures };
  writeFileSync(new URL(`${bench}.json`, folder), `${JSON.stringify(saved, null, 1)}\n`);
}
