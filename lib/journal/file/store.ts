import { readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ErrorCode } from '../../protocol/errors.ts';
import { rotate } from './kept.ts';
import { lock } from './lock.ts';
import { LogFile } from './log-file.ts';
import { type Recovery, recover, renewed } from './recovery.ts';
import type { Progress } from './state.ts';
import { StateFile } from './state-file.ts';

export interface StoreSettings {
  readonly synced: boolean;
  /** Infinity: never rotated. */
  readonly rotateBytes: number;
  readonly keepFiles: number;
}

export type StoreFault = (code: ErrorCode, message: string, cause: Error) => void;

/** The files of a journal: its own, those that rotation keeps, the state and the lock. */
export class Store {
  readonly #settings: StoreSettings;
  readonly #fault: StoreFault;
  #path: string;
  #file: LogFile;
  #state: StateFile | undefined;
  #unlock: (() => void) | undefined;
  #size = 0;
  /** The file is rotated when it would exceed this. */
  #rotateAt: number;

  constructor(path: string, settings: StoreSettings, fault: StoreFault) {
    this.#path = path;
    this.#settings = settings;
    this.#fault = fault;
    this.#file = new LogFile(path, { ...settings, lasting: true });
    this.#rotateAt = settings.rotateBytes;
  }

  /** The journal's file, without symbolic links once it is open. */
  get path(): string {
    return this.#path;
  }

  /** @throws the system's error, or ReqcastError `JOURNAL_OPEN_FAILED` */
  async open(history: number): Promise<Recovery> {
    const lasting = await isLasting(this.#path);
    // What /dev/stdout leads to may have no path.
    this.#path = lasting ? await withoutLinks(this.#path) : resolve(this.#path);
    this.#file = new LogFile(this.#path, { ...this.#settings, lasting });
    // Many may write what keeps nothing.
    if (lasting) this.#unlock = await lock(this.#path);
    const file = await this.#file.open();
    if (!lasting) return recover(file, this.#path, 0, { believable: false });
    this.#state = new StateFile(`${this.#path}.state`, this.#settings.synced, (cause) =>
      this.#unstated(cause),
    );
    const known = await this.#state.read();
    const recovery = await recover(file, this.#path, history, known);
    const goesOn = recovery.epoch === known.state?.epoch;
    if (await this.#state.begin(recovery, goesOn ? known.state : undefined)) return recovery;
    return goesOn ? renewed(recovery) : recovery;
  }

  /** To do before each `append`: what is written to is what is at the path. */
  async prepare(): Promise<void> {
    this.#size = await this.#file.follow();
  }

  /**
   * Writes entries, as a whole or not at all. After a failure, call it with the same ones.
   *
   * @param progress the one after them
   * @returns false if a new epoch MUST begin, for the state cannot tell any more what was lost
   */
  async append(bytes: Buffer, progress: Progress): Promise<boolean> {
    if (this.#size > 0 && this.#size + bytes.length > this.#rotateAt && !this.#file.midway)
      await this.#rotate();
    await this.#file.append(bytes);
    return this.note(progress);
  }

  /** @returns as `append` */
  async note(progress: Progress): Promise<boolean> {
    return (await this.#state?.write(progress)) ?? true;
  }

  async #rotate(): Promise<void> {
    const { rotateBytes, keepFiles } = this.#settings;
    try {
      await rotate(this.#path, keepFiles);
      this.#rotateAt = rotateBytes;
    } catch (error) {
      const cause = error as Error;
      if (this.#rotateAt === rotateBytes)
        this.#fault(
          'JOURNAL_ROTATE_FAILED',
          `The journal ${this.#path} cannot be rotated: ${cause.message}. Writing goes on in the same file, and it is tried again each ${rotateBytes} bytes: let this process list and rename files in ${dirname(this.#path)}.`,
          cause,
        );
      this.#rotateAt = this.#size + rotateBytes;
    }
    await this.#file.follow();
  }

  #unstated(cause: Error): void {
    this.#fault(
      'JOURNAL_STATE_FAILED',
      `${this.#path}.state cannot be written: ${cause.message}. The journal works, but after a restart clients are told to refresh all: let this process make files in ${dirname(this.#path)}.`,
      cause,
    );
  }

  /** The next run begins a new epoch: what this one accepted is not all in the file. */
  async void(): Promise<void> {
    await this.#state?.void();
  }

  /** @param progress nothing if it was not open, or if the state is void */
  async close(progress?: Progress): Promise<void> {
    await this.#state?.close((await this.#file.sync()) ? progress : undefined);
    await this.#file.close();
    this.#unlock?.();
  }
}

/** So that each file has one lock and one state, whichever way leads to it. */
async function withoutLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const directory = await realpath(dirname(resolve(path)));
    // It may be a link to a file that is not there yet.
    const target = await readlink(path).catch(() => undefined);
    return target === undefined ? join(directory, basename(path)) : withoutLinks(resolve(directory, target));
  }
}

async function isLasting(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return !found || found.isFile();
}
