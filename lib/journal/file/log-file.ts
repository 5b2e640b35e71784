import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// Appending holds when another process truncates the file (logrotate's copytruncate): the next write starts at 0.
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;

/** What is no file may be a pipe: it must keep no thread, and so the process, while nobody reads it, nor be ours to read. */
const STREAM_FLAGS = constants.O_WRONLY | constants.O_NONBLOCK;
/** A pipe may be full for so long; it is looked at this often. */
const FULL_MS = 1_000;
const LOOK_MS = 10;

/** The log may hold what users did: it is for the user who runs the process. */
const MODE = 0o600;

export interface LogFileTraits {
  /** A batch is on the disk when it is appended. */
  readonly synced: boolean;
  /** It is a file or is to become one. What else there is, such as /dev/stdout, is written and keeps nothing. */
  readonly lasting: boolean;
}

/** The file at a path, open for appending, also after the file was renamed away. */
export class LogFile {
  readonly #path: string;
  readonly #lasting: boolean;
  readonly #sync: boolean;
  #handle: FileHandle | undefined;
  #identity = '';
  /** How large it is when nobody else has changed it; -1: unknown. */
  #size = -1;
  /** How much of a batch is in the file after a failure that could not be undone. */
  #written = 0;

  constructor(path: string, { synced, lasting }: LogFileTraits) {
    this.#path = path;
    this.#lasting = lasting;
    this.#sync = synced && lasting;
  }

  async open(): Promise<FileHandle> {
    const handle = await open(this.#path, this.#lasting ? FLAGS : STREAM_FLAGS, MODE);
    this.#identity = identify(await handle.stat({ bigint: true }));
    this.#handle = handle;
    this.#size = -1;
    if (this.#sync) await syncDirectory(dirname(this.#path));
    return handle;
  }

  /** A part of a batch is in the file, and the next attempt goes on there. */
  get midway(): boolean {
    return this.#written > 0;
  }

  /** Makes sure that what is open is what is at the path now and that no line of it lacks its end, and tells its size. */
  async follow(): Promise<number> {
    const size = this.#handle && (await this.#sizeAtPath());
    if (size === undefined) {
      await this.close();
      await this.open();
    } else if (size === this.#size) return size;
    const handle = this.#handle as FileHandle;
    await endLine(handle);
    this.#written = 0;
    this.#size = (await handle.stat()).size;
    return this.#size;
  }

  /** Appends the batch as a whole, or throws with nothing of it in the file. After that, call it with the same batch. */
  async append(batch: Buffer): Promise<void> {
    const handle = this.#handle as FileHandle;
    try {
      while (this.#written < batch.length) {
        const bytes = await write(handle, batch, this.#written);
        this.#written += bytes;
        if (this.#lasting) this.#size += bytes;
      }
      if (this.#sync) await handle.datasync();
      this.#written = 0;
    } catch (error) {
      await this.#takeBack(handle);
      throw error;
    }
  }

  /** Returns whether all is on the disk. */
  async sync(): Promise<boolean> {
    if (!this.#handle) return false;
    return this.#handle.datasync().then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // A handle that cannot be closed is one that is closed already.
    await handle?.close().catch(() => {});
  }

  /** Nothing if what is at the path is not what is open. */
  async #sizeAtPath(): Promise<number | undefined> {
    try {
      const stats = await stat(this.#path, { bigint: true });
      return identify(stats) === this.#identity ? Number(stats.size) : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** If the file cannot be cut either, the next attempt goes on where this one stopped. */
  async #takeBack(handle: FileHandle): Promise<void> {
    try {
      if (this.#written > 0) await handle.truncate(Math.max(0, (await handle.stat()).size - this.#written));
    } catch {
      return;
    }
    // A stale handle never recovers: the next attempt opens anew.
    await this.close();
  }
}

/** Waits for a pipe that is full. */
async function write(handle: FileHandle, batch: Buffer, from: number): Promise<number> {
  for (const until = performance.now() + FULL_MS; ; await sleep(LOOK_MS))
    try {
      return (await handle.write(batch, from)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > until) throw error;
    }
}

function identify({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** A new file's name is on the disk when its directory is. Not every system can open one. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path).catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}

/** Somebody put a file there whose last line has no end: ours must not be glued to it. */
async function endLine(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  if (size === 0) return;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  if (bytesRead === 1 && buffer[0] !== 10) await handle.write('\n');
}
