import { existsSync } from 'node:fs';
import { chmod, chown, link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { claimSocketPath, defaultSocketPath, MAX_SOCKET_PATH_BYTES } from '../../lib/push/socket-path.ts';
import { afterwards } from '../support/server.ts';

let folder: string;
const runtimeDir = process.env.XDG_RUNTIME_DIR;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reqcast-test-'));
});

afterEach(async () => {
  if (runtimeDir === undefined) delete process.env.XDG_RUNTIME_DIR;
  else process.env.XDG_RUNTIME_DIR = runtimeDir;
  await rm(folder, { recursive: true, force: true });
});

async function listenAt(path: string) {
  const server = createServer((stream) => stream.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  afterwards(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

/** A socket that nobody listens on, as a killed process leaves it. */
async function leaveSocketAt(path: string) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}~`, resolve));
  await link(`${path}~`, path);
  await new Promise((resolve) => server.close(resolve));
}

const code = (value: string) => expect.objectContaining({ name: 'ReqcastError', code: value });

describe('the default path', () => {
  test('is in XDG_RUNTIME_DIR', () => {
    process.env.XDG_RUNTIME_DIR = '/run/user/1000';
    expect(defaultSocketPath()).toBe('/run/user/1000/woknotifications');
  });

  test.each(['', 'relative'])(
    'is in a directory of the user in the temp dir when XDG_RUNTIME_DIR is "%s"',
    (value) => {
      process.env.XDG_RUNTIME_DIR = value;
      expect(defaultSocketPath()).toBe(join(tmpdir(), `reqcast-${userInfo().uid}`, 'woknotifications'));
    },
  );

  test('gets its directories, for the user alone', async () => {
    process.env.XDG_RUNTIME_DIR = join(folder, 'a', 'b');
    await claimSocketPath(defaultSocketPath());
    expect((await stat(join(folder, 'a', 'b'))).mode & 0o777).toBe(0o700);
  });

  test('is refused in a directory that is a symbolic link', async () => {
    await mkdir(join(folder, 'real'), { mode: 0o700 });
    await symlink(join(folder, 'real'), join(folder, 'link'));
    process.env.XDG_RUNTIME_DIR = join(folder, 'link');
    await expect(claimSocketPath(defaultSocketPath())).rejects.toEqual(code('SOCKET_UNSAFE'));
  });

  test.each([0o777, 0o1777, 0o770])(
    'is refused in a directory of mode %o, which others can write',
    async (mode) => {
      await chmod(folder, mode);
      process.env.XDG_RUNTIME_DIR = folder;
      await expect(claimSocketPath(defaultSocketPath())).rejects.toEqual(code('SOCKET_UNSAFE'));
    },
  );

  const asRoot = process.getuid?.() === 0 ? test : test.skip;
  asRoot('is refused in a directory of another user', async () => {
    await chown(folder, 12345, 12345);
    process.env.XDG_RUNTIME_DIR = folder;
    await expect(claimSocketPath(defaultSocketPath())).rejects.toEqual(code('SOCKET_UNSAFE'));
  });
});

describe('a given path', () => {
  test('gets its directory, for the user alone', async () => {
    await claimSocketPath(join(folder, 'new', 'socket'));
    expect((await stat(join(folder, 'new'))).mode & 0o777).toBe(0o700);
  });

  test('may be in a directory that others can write', async () => {
    await chmod(folder, 0o1777);
    await expect(claimSocketPath(join(folder, 'socket'))).resolves.toBeUndefined();
  });

  test('is refused when more than its directory is missing', async () => {
    await expect(claimSocketPath(join(folder, 'no', 'such', 'socket'))).rejects.toEqual(
      code('INVALID_OPTION'),
    );
  });

  test('is refused in what is not a directory', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(claimSocketPath(join(folder, 'file', 'socket'))).rejects.toEqual(code('INVALID_OPTION'));
  });

  test('has as many bytes as the system allows, and not one more', async () => {
    const name = 'é'.repeat(60);
    const longest = Buffer.from(join(folder, name)).subarray(0, MAX_SOCKET_PATH_BYTES - 1);
    const path = `${longest.toString().replace(/\uFFFD$/, '')}`;
    const filled = path + 'x'.repeat(MAX_SOCKET_PATH_BYTES - Buffer.byteLength(path));
    await expect(claimSocketPath(filled)).resolves.toBeUndefined();
    await expect(claimSocketPath(`${filled}x`)).rejects.toEqual(code('INVALID_OPTION'));
    await expect(claimSocketPath(`${filled}x`)).rejects.toThrow(
      `has ${MAX_SOCKET_PATH_BYTES + 1} bytes; a UNIX socket's path has at most ${MAX_SOCKET_PATH_BYTES}`,
    );
  });

  test.each(['', 'a\0b', 7 as unknown as string])('is refused when it is %j', async (path) => {
    await expect(claimSocketPath(path)).rejects.toEqual(code('INVALID_OPTION'));
  });
});

describe('what is at the path', () => {
  test('stays when it is a file', async () => {
    const path = join(folder, 'socket');
    await writeFile(path, 'precious');
    await expect(claimSocketPath(path)).rejects.toEqual(code('SOCKET_UNSAFE'));
    expect(await readFile(path, 'utf8')).toBe('precious');
  });

  test('stays when it is a directory', async () => {
    await mkdir(join(folder, 'socket'));
    await expect(claimSocketPath(join(folder, 'socket'))).rejects.toEqual(code('SOCKET_UNSAFE'));
  });

  test.each(['a live socket', 'nothing'])('stays when it is a symbolic link to %s', async (to) => {
    const path = join(folder, 'link');
    if (to === 'a live socket') await listenAt(join(folder, 'live'));
    await symlink(join(folder, 'live'), path);
    await expect(claimSocketPath(path)).rejects.toEqual(code('SOCKET_UNSAFE'));
    await expect(claimSocketPath(path)).rejects.toThrow('a symbolic link');
  });

  test('stays when somebody listens there, and the error names it', async () => {
    const path = join(folder, 'socket');
    await listenAt(path);
    await expect(claimSocketPath(path)).rejects.toEqual(code('SOCKET_IN_USE'));
    await expect(claimSocketPath(path)).rejects.toThrow(path);
    await new Promise<void>((resolve, reject) => {
      const peer = connect(path, () => resolve(void peer.destroy())).on('error', reject);
    });
  });

  test('is removed when it is a socket that nobody listens on', async () => {
    const path = join(folder, 'socket');
    await leaveSocketAt(path);
    expect(existsSync(path)).toBe(true);
    await claimSocketPath(path);
    expect(existsSync(path)).toBe(false);
  });
});
