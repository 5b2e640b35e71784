import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Served } from './served.ts';
import { afterwards } from './server.ts';

type Asked = {
  [K in keyof Served]: (...args: Parameters<Served[K]>) => Promise<Awaited<ReturnType<Served[K]>>>;
};

/** A server in a process of its own, so that its memory is its own, and that its end is seen. */
export interface Child extends Asked {
  /** Why it is no more, once it is so. */
  readonly ended: Promise<Error>;
  kill(): void;
}

/** Starts `served.ts`. What is asked of it after it ended rejects with what it said last. */
export function startChild(): Child {
  const child = spawn(process.execPath, ['--expose-gc', '--trace-uncaught', bundle('served.ts')], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  afterwards(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  child.on('message', ({ id, value }: { id: number; value: never }) => {
    waiting.get(id)?.resolve(value);
    waiting.delete(id);
  });
  let end: Error | undefined;
  const ended = new Promise<Error>((resolve) => {
    child.on('close', (code, signal) => {
      end = new Error(`the server ended with ${code ?? signal}: ${said}`);
      for (const { reject } of waiting.values()) reject(end);
      resolve(end);
    });
  });
  let asked = 0;
  const ask = (name: keyof Served, ...args: unknown[]) =>
    new Promise<never>((resolve, reject) => {
      if (end) return reject(end);
      waiting.set(++asked, { resolve, reject });
      child.send({ id: asked, name, args });
    });
  return {
    ended,
    kill: () => child.kill('SIGKILL'),
    start: (...args) => ask('start', ...args),
    publish: (...args) => ask('publish', ...args),
    lose: () => ask('lose'),
    measure: () => ask('measure'),
  };
}

let directory: string | undefined;
afterAll(() => directory && rmSync(directory, { recursive: true, force: true }));

/** A program of this directory with `lib` as it is now, in one file. */
export function bundle(program: string): string {
  directory ??= mkdtempSync(join(tmpdir(), 'reqcast-program-'));
  const bundled = join(directory, program.replace(/ts$/, 'cjs'));
  if (existsSync(bundled)) return bundled;
  const esbuild = resolve('node_modules/.bin/esbuild');
  const args = [resolve('__tests__/support', program), '--bundle', '--platform=node', `--outfile=${bundled}`];
  const { status, stderr } = spawnSync(esbuild, [...args, '--log-level=error'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return bundled;
}
