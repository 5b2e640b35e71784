import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './server.ts';

/** A server that keeps a journal. It is killed, stopped and started again, with one port and one directory. */
export abstract class EngineServer {
  readonly port: number;
  readonly directory = mkdtempSync(join(tmpdir(), 'reqcast-engine-'));
  readonly #program: string;
  #child: ChildProcess | undefined;

  protected constructor(program: string, port: number) {
    this.#program = program;
    this.port = port;
  }

  /** Resolves when it is up. */
  protected async run(args: readonly string[], isUp: (pid?: number) => Promise<boolean>): Promise<void> {
    const child = spawn(this.#program, args, { stdio: 'ignore' });
    this.#child = child;
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`${this.#program} ended: ${child.exitCode}`);
      return isUp(child.pid);
    });
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Resolves when none of its threads does anything any more, where the system tells; until `SIGCONT`. */
  async pause(): Promise<void> {
    this.signal('SIGSTOP');
    const tasks = `/proc/${this.#child?.pid}/task`;
    const isStopped = (task: string) => / T /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8'));
    if (process.platform === 'linux') await until(() => readdirSync(tasks).every(isStopped));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
