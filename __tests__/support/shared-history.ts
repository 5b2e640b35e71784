import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Draft } from '../../lib/journal/entry.ts';
import { fileJournal } from '../../lib/journal/file/file-journal.ts';
import { hostJournal } from '../../lib/journal/host/host-journal.ts';
import type { Journal } from '../../lib/journal/journal.ts';
import { natsJournal } from '../../lib/journal/nats/index.ts';
import { redisJournal } from '../../lib/journal/redis/index.ts';
import { bundle } from './child.ts';
import { temporaryDirectory } from './directory.ts';
import type { EngineServer } from './engine-server.ts';
import { connectNats, NatsServer } from './nats.ts';
import { ioredis, RedisServer } from './redis.ts';

/** A history that this process shares with another one, and what can befall it. */
export interface SharedHistory {
  /** This process's, and after its end the next one's. */
  journal(): Journal;
  /** The other process does. */
  publish(draft: Draft): void;
  /** What keeps the history dies, and comes back with it. */
  kill(): Promise<void>;
  start(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Nothing is left of it. Not while it is dead. */
  lose(): Promise<void>;
  /** Whether `lose` is survived by this process's journal; else it has to be closed before. */
  readonly losesAlive: boolean;
  /** Whether nothing is added to a history that was lost before that is noticed. */
  readonly noticesAtOnce: boolean;
  /** Whether a new process begins an epoch where what keeps the history came back and none that knew it has yet. */
  readonly needsVouching: boolean;
  end(): Promise<void>;
}

const deaf = { reset() {}, deliver() {}, fault() {} };

/** Two journals in one process, which know nothing of each other. */
async function overEngine(
  server: EngineServer & { start(): Promise<void> },
  journal: () => Journal,
  lose: () => Promise<unknown>,
  noticesAtOnce: boolean,
): Promise<SharedHistory> {
  const other = journal();
  await other.open(deaf, 0);
  return {
    journal,
    publish: (draft) => other.append(draft),
    kill: () => server.kill(),
    start: () => server.start(),
    signal: (signal) => server.signal(signal),
    lose: async () => void (await lose()),
    losesAlive: true,
    noticesAtOnce,
    needsVouching: true,
    end: () => other.close(),
  };
}

/** Each call gives one that is empty. */
export type Begin = () => Promise<SharedHistory>;

export async function redisHistories(): Promise<Begin> {
  const server = await RedisServer.forTest('--appendonly', 'yes', '--appendfsync', 'always');
  const client = ioredis(server.port);
  let keys = 0;
  return () => {
    const key = `k${++keys}`;
    return overEngine(
      server,
      () => redisJournal({ client, key }),
      () => server.ask('flushall'),
      true,
    );
  };
}

export async function natsHistories(): Promise<Begin> {
  const server = await NatsServer.forTest();
  const connection = await connectNats(server.port);
  let streams = 0;
  return () => {
    const stream = `s${++streams}`;
    return overEngine(
      server,
      () => natsJournal({ connection, stream }),
      // NATS 2.9 that deletes a stream while others make it anew may delete the new one's files too.
      () => server.ask(`STREAM.PURGE.${stream}`),
      false,
    );
  };
}

/** The other process owns the journal at first, and is what dies. */
class HostHistory implements SharedHistory {
  readonly losesAlive = false;
  readonly noticesAtOnce = true;
  readonly needsVouching = false;
  readonly #socketPath: string;
  readonly #path: string;
  #child: ChildProcess | undefined;

  constructor(directory: string) {
    this.#socketPath = join(directory, 'host');
    this.#path = join(directory, 'log');
  }

  journal(): Journal {
    return hostJournal({ socketPath: this.#socketPath, journal: () => fileJournal({ path: this.#path }) });
  }

  publish(draft: Draft): void {
    if (this.#child?.connected) this.#child.send(draft);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async start(): Promise<void> {
    const args = [bundle('host-process.ts'), this.#socketPath, this.#path];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(this.#child, 'message');
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  async lose(): Promise<void> {
    await this.kill();
    for (const part of ['', '.state']) rmSync(this.#path + part, { force: true });
    await this.start();
  }

  end(): Promise<void> {
    return this.kill();
  }
}

export async function hostHistories(): Promise<Begin> {
  const directory = temporaryDirectory();
  let begun = 0;
  return async () => {
    const history = new HostHistory(join(directory, String(++begun)));
    await history.start();
    return history;
  };
}
