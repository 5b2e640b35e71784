import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { ReqcastError } from '../protocol/errors.ts';
import type { Target } from './target.ts';

export interface SocketDirOptions {
  /** Targets' UNIX sockets must be in this directory or below; a relative path counts from it. @default anywhere */
  socketDir?: string;
  /** With `socketDir`: the user ids that may own a socket. @default this process's own, and root */
  socketOwners?: readonly number[];
}

/**
 * The target with its UNIX socket's real path, checked: inside the directory after symbolic links are resolved, a
 * socket, and owned by somebody who may. Other targets as they are.
 *
 * @throws ReqcastError `TARGET_FORBIDDEN` or `TARGET_NOT_FOUND`
 */
export async function confineTarget(target: Target, options: SocketDirOptions): Promise<Target> {
  const { socketDir } = options;
  if (socketDir === undefined) return target;
  if ('socketPath' in target) return { socketPath: await confine(target.socketPath, socketDir, options) };
  if (!('http' in target) || typeof target.http === 'string') return target;
  return { http: { ...target.http, socketPath: await confine(target.http.socketPath, socketDir, options) } };
}

async function confine(path: string, directory: string, options: SocketDirOptions): Promise<string> {
  const forbid = (problem: string) =>
    new ReqcastError('TARGET_FORBIDDEN', `The target ${path} is refused: ${problem}.`);
  const [root, real] = await Promise.all([find(directory), find(resolve(directory, path))]);
  const inside = relative(root, real);
  if (inside === '' || isAbsolute(inside) || inside.split(sep)[0] === '..')
    throw forbid(`it is not in option proxy.socketDir, ${directory}`);
  const found = await stat(real).catch(missing(real));
  if (!found.isSocket()) throw forbid('it is not a socket');
  const owners = options.socketOwners ?? [process.getuid?.() ?? 0, 0];
  if (process.getuid && !owners.includes(found.uid))
    throw forbid(`user ${found.uid} owns it, who is not in option proxy.socketOwners`);
  return real;
}

const find = (path: string) => realpath(path).catch(missing(path));

const missing = (path: string) => (cause: unknown) => {
  throw new ReqcastError('TARGET_NOT_FOUND', `The target ${path} cannot be found.`, { cause });
};
