import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const built = mkdtempSync(join(tmpdir(), 'bench-'));

/** A program that is written in C: where it is when compiled. */
export function compile(source) {
  const program = join(built, basename(source, '.c'));
  execFileSync('cc', ['-O2', '-o', program, source]);
  return program;
}
