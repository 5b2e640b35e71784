import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A child process on one core, asked by lines, which it answers in order. */
export class Program {
  #lines;
  #child;

  /** @param core the number of the core that it may use */
  constructor(core, command, ...args) {
    this.#child = spawn('taskset', ['-c', String(core), command, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#child.pid;
  }

  async next() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('a program of the bench ended');
    return value;
  }

  ask(line) {
    this.#child.stdin.write(`${line}\n`);
    return this.next();
  }

  end() {
    this.#child.kill('SIGKILL');
  }
}
