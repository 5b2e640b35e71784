import type { BigIntStats } from 'node:fs';
import { uptime } from 'node:os';

/** The whole record: one sector of a disk, so that no crash leaves a half of it. */
export const STATE_BYTES = 512;

/** The record is written when it says; only a copy that is put back later has a ctime that differs by more. */
const WRITE_MS = 2_000;

/** After a crash of the machine the record on the disk may be older than its inode: by the system's write-back. */
const WRITE_BACK_MS = 60_000;

/** How far one epoch has come. */
export interface Progress {
  readonly epoch: string;
  /** The offset at which the epoch began. */
  readonly start: number;
  /** The offset of the newest entry that may have been delivered. */
  readonly head: number;
}

/** What a run of the journal leaves for the next one. */
export interface State extends Progress {
  /** Journal and state were on the disk when the run ended, and nothing was lost. */
  readonly clean: boolean;
  /** Each entry was on the disk before it was delivered. */
  readonly synced: boolean;
  /** Of the machine; nothing where it has none. */
  readonly boot: string | undefined;
  /** When this was written, in milliseconds since 1970. */
  readonly at: number;
  /** The identity of the file that it was written to. */
  readonly self: string;
}

export function formatState(state: State): Buffer {
  return Buffer.from(`${JSON.stringify(state).padEnd(STATE_BYTES - 1)}\n`);
}

/** What the record says, or nothing if it is none. */
export function parseState(text: string): State | undefined {
  try {
    const state = JSON.parse(text) as State;
    const { epoch, start, head } = state;
    const whole = [start, head].every((offset) => Number.isSafeInteger(offset) && offset >= 0);
    const named = typeof epoch === 'string' && /^[\w-]{1,64}$/.test(epoch);
    return named && whole && start <= head ? state : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a copy of the file does not share, not even one with the same inode number, which is soon given again. The
 * device is left out: in containers and on btrfs it is another one after each mount.
 */
export function identify({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino}:${birthtimeNs}`;
}

/**
 * Whether the state, found in a file with these stats, is what the last run wrote, and all that this run had
 * delivered was at least written.
 *
 * @param boot that of the machine now
 */
export function isBelievable(state: State, stats: BigIntStats, boot: string | undefined): boolean {
  if (state.self !== identify(stats)) return false;
  // Where files have no time of birth, a copy in their place shows by the ctime only.
  if (state.clean && stats.birthtimeNs > 0n) return true;
  const crashed = !state.clean && isOtherBoot(state, boot);
  if (crashed && !state.synced) return false;
  return Math.abs(Number(stats.ctimeMs) - state.at) <= (crashed ? WRITE_BACK_MS : WRITE_MS);
}

function isOtherBoot(state: State, boot: string | undefined): boolean {
  if (boot !== undefined) return state.boot !== boot;
  return state.at < Date.now() - uptime() * 1000;
}
