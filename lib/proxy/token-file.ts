import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ReqcastError } from '../protocol/errors.ts';
import type { Target } from './target.ts';
import { parseTokenLine } from './token-line.ts';

/** Some 20000 tokens, read in a few milliseconds. More of them go into a directory of files. */
const MAX_FILE_BYTES = 1024 * 1024;

/** More files in one directory would be looked at for longer than a client waits. */
const MAX_FILES = 10_000;

/** So many wrong lines of a file are told one by one. */
const MAX_PROBLEMS = 10;

/** A file that changed so shortly before it was read may change again without a new time stamp. */
const RACY_MS = 100;

const NEWLINE = 0x0a;

/** The token in a client's URL: as written, and the name that it stands for if it is base64url. */
export interface WrittenToken {
  readonly text: string;
  readonly name?: string | undefined;
}

/** One file as it was read last. */
interface KnownFile {
  readonly version: string;
  readonly digest: string;
  readonly targets: ReadonlyMap<string, Target>;
}

type Report = (fault: ReqcastError) => void;

/**
 * Targets from websockify's token files: one file, or all files of a directory whose names do not begin with a dot,
 * by name, the last line of a token being the one that counts. Files that changed are read again when a token is
 * looked up. What is wrong with a line is a `TOKEN_FILE_INVALID` fault with file and line, once for each version of
 * the file; the other lines serve.
 *
 * A line's token is compared with the token in the URL as it is written there and with the name it stands for.
 */
export function tokenFile(path: string): TokenFile {
  if (typeof path !== 'string' || path === '')
    throw new ReqcastError('INVALID_OPTION', `The path of tokenFile is ${String(path)}; it must be a path.`);
  return new TokenFile(path);
}

export class TokenFile {
  readonly #path: string;
  #files: ReadonlyMap<string, KnownFile> = new Map();
  #looking: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** The last fault of the path as a whole, so that it is told once. */
  #pathFault = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** @param report receives what is wrong with the files */
  async find({ text, name }: WrittenToken, report: Report): Promise<Target | undefined> {
    await this.#refresh(report);
    return this.#at(text) ?? (name === undefined ? undefined : this.#at(name));
  }

  #at(token: string): Target | undefined {
    let found: Target | undefined;
    for (const { targets } of this.#files.values()) found = targets.get(token) ?? found;
    return found;
  }

  /** Looks at the files, for all who came before it began; who comes while one is under way waits for the next. */
  #refresh(report: Report): Promise<void> {
    this.#next ??= (this.#looking ?? Promise.resolve()).then(() => {
      this.#looking = this.#next;
      this.#next = undefined;
      return this.#look(report);
    });
    return this.#next;
  }

  async #look(report: Report): Promise<void> {
    const files = new Map<string, KnownFile>();
    try {
      for (const path of await this.#paths()) {
        const file = await readAgain(path, this.#files.get(path), report);
        if (file) files.set(path, file);
      }
      this.#pathFault = '';
    } catch (cause) {
      const message = `${this.#path} cannot be read: ${(cause as Error).message}. Its tokens lead nowhere until it can.`;
      if (message !== this.#pathFault) report(new ReqcastError('TOKEN_FILE_INVALID', message, { cause }));
      this.#pathFault = message;
    }
    this.#files = files;
  }

  async #paths(): Promise<string[]> {
    if (!(await stat(this.#path)).isDirectory()) return [this.#path];
    const names = (await readdir(this.#path)).filter((name) => name[0] !== '.').sort();
    if (names.length > MAX_FILES) throw new Error(`more than ${MAX_FILES} files`);
    return names.map((name) => join(this.#path, name));
  }
}

/** The file as it is now, or nothing if it is gone, is no file, or is too large. */
async function readAgain(
  path: string,
  known: KnownFile | undefined,
  report: Report,
): Promise<KnownFile | undefined> {
  const now = await stat(path, { bigint: true }).catch(() => undefined);
  if (!now?.isFile()) return undefined;
  const version = versionOf(now);
  if (known?.version === version) return known;
  const isRacy = () => Date.now() - Number(now.mtimeMs) < RACY_MS;
  let bytes = await readBounded(path);
  if (isRacy() && bytes && bytes.length > 0 && bytes.at(-1) !== NEWLINE) {
    // Its last line may be a part of one that is being written, and lead to a part of its port.
    await setTimeout(RACY_MS);
    bytes = await readBounded(path);
  }
  const racy = isRacy();
  const digest = bytes ? createHash('sha256').update(bytes).digest('base64') : 'unreadable';
  const kept = { version: racy ? '' : version, digest };
  if (known?.digest === digest) return { ...known, ...kept };
  if (!bytes) {
    const message = `${path} cannot be read or is larger than ${MAX_FILE_BYTES} bytes: its tokens lead nowhere.`;
    report(new ReqcastError('TOKEN_FILE_INVALID', message));
    return { ...kept, targets: new Map() };
  }
  return { ...kept, targets: parse(bytes.toString(), path, report) };
}

const versionOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats) =>
  [dev, ino, size, mtimeNs, ctimeNs].join(':');

/** Does not wait for the writer of a pipe that took the file's place. */
async function readBounded(path: string): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) return undefined;
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

function parse(text: string, path: string, report: Report): Map<string, Target> {
  const targets = new Map<string, Target>();
  let problems = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const said = parseTokenLine(line);
    if (said && 'target' in said) targets.set(said.token, said.target);
    else if (said && ++problems <= MAX_PROBLEMS) {
      // Without the line itself, which has a token in it.
      report(
        new ReqcastError('TOKEN_FILE_INVALID', `${path}:${index + 1}: ${said.problem}. Correct this line.`),
      );
    }
  }
  if (problems > MAX_PROBLEMS)
    report(
      new ReqcastError('TOKEN_FILE_INVALID', `${path}: ${problems} lines are wrong; the first were told.`),
    );
  return targets;
}
