import { readFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { Known } from './recovery.ts';
import {
  formatState,
  identify,
  isBelievable,
  type Progress,
  parseState,
  STATE_BYTES,
  type State,
} from './state.ts';

/** A state that cannot be written is tried again after this long: it costs more than writing one. */
const RETRY_MS = 5_000;

/**
 * The file beside the journal that says how far it came, so that a journal that lost entries is told from one that
 * did not. Each run has one of its own.
 */
export class StateFile {
  readonly #path: string;
  readonly #synced: boolean;
  readonly #onFail: (cause: Error) => void;
  readonly #boot = bootId();
  #handle: FileHandle | undefined;
  #self = '';
  #failing = false;
  #retryAt = 0;

  /** @param onFail called once when the state cannot be written, and again if that happens after it could */
  constructor(path: string, synced: boolean, onFail: (cause: Error) => void) {
    this.#path = path;
    this.#synced = synced;
    this.#onFail = onFail;
  }

  /** What the last run left. */
  async read(): Promise<Known> {
    const file = await open(this.#path, 'r').catch(() => undefined);
    try {
      const stats = await file?.stat({ bigint: true });
      if (!file || Number(stats?.size) !== STATE_BYTES) return { believable: false };
      const state = parseState(await file.readFile('utf8'));
      return { state, believable: state !== undefined && isBelievable(state, stats as never, this.#boot) };
    } catch {
      return { believable: false };
    } finally {
      await file?.close();
    }
  }

  /**
   * Begins this run's state, in a new file. Returns whether that could be done. If not, what the last run left may
   * still be there, and this one MUST begin a new epoch, with which that does not agree.
   *
   * @param last what the last run left, if this one goes on with it
   */
  async begin(progress: Progress, last: State | undefined): Promise<boolean> {
    try {
      // A crash of the machine may bring it back, and it would be believed, while entries of this run are lost.
      if (last && (last.clean || last.synced) && !this.#synced) await this.#soil(last);
      await this.#make(progress);
      return true;
    } catch (cause) {
      await this.#fail(cause as Error);
      return false;
    }
  }

  /**
   * To do after entries are written and before they are delivered. Never throws.
   *
   * @returns false if an older state is still there and may be believed: a new epoch MUST begin
   */
  async write(progress: Progress): Promise<boolean> {
    try {
      if (this.#handle) await this.#put(this.#handle, { ...progress, clean: false });
      else if (Date.now() >= this.#retryAt) await this.#make(progress);
      else return true;
      this.#failing = false;
      return true;
    } catch (cause) {
      return this.#fail(cause as Error);
    }
  }

  /**
   * Ends the run. Never throws.
   *
   * @param progress of a journal that is on the disk as a whole; without it the state stays that of a crash
   */
  async close(progress: Progress | undefined): Promise<void> {
    try {
      if (progress) await this.#end(progress);
    } catch (cause) {
      await this.#fail(cause as Error);
    }
    await this.#release();
  }

  /** Takes the state away, so that the next run begins a new epoch. Returns whether that could be done. */
  async void(): Promise<boolean> {
    const cut = await succeeds(this.#handle?.truncate());
    await this.#release();
    return (await succeeds(rm(this.#path, { force: true }))) || cut;
  }

  async #end(progress: Progress): Promise<void> {
    if (!this.#handle) await this.#make(progress);
    const handle = this.#handle as unknown as FileHandle;
    await this.#put(handle, { ...progress, clean: true });
    await handle.datasync();
  }

  async #soil(last: State): Promise<void> {
    const file = await open(this.#path, 'r+');
    try {
      await this.#put(file, { ...last, clean: false }, last.self);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #make(progress: Progress): Promise<void> {
    const temporary = `${this.#path}~`;
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      this.#self = identify(await file.stat({ bigint: true }));
      await this.#put(file, { ...progress, clean: false });
      if (this.#synced) await file.datasync();
      await rename(temporary, this.#path);
      this.#handle = file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #put(
    file: FileHandle,
    { epoch, start, head, clean }: Progress & { clean: boolean },
    self = this.#self,
  ): Promise<void> {
    const marks = { clean, synced: this.#synced, boot: this.#boot, at: Date.now(), self };
    const record = formatState({ epoch, start, head, ...marks });
    const { bytesWritten } = await file.write(record, 0, record.length, 0);
    if (bytesWritten < record.length) throw new Error(`${bytesWritten} of ${record.length} bytes were taken`);
  }

  async #fail(cause: Error): Promise<boolean> {
    if (!this.#failing) this.#onFail(cause);
    this.#failing = true;
    this.#retryAt = Date.now() + RETRY_MS;
    return this.void();
  }

  async #release(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }
}

async function succeeds(attempt: Promise<unknown> | undefined): Promise<boolean> {
  try {
    await attempt;
    return attempt !== undefined;
  } catch {
    return false;
  }
}

/** Which boot of the machine this is, where the system tells. */
function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
