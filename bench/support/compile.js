import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = mkdtempSync(join(tmpdir(), 'bench-'));

/** A program that is written in C: where it is when compiled. */
export function compile(source) {
  const program = join(built, basename(source, '.c'));
  execFileSync('cc', ['-O2', '-o', program, source]);
  return program;
}

/** Many subscribers in one process; see there. */
export const subscribers = compile(fileURLToPath(new URL('../fanout/subscribers.c', import.meta.url)));
