import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { confineTarget } from '../../lib/proxy/socket-dir.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards } from '../support/server.ts';

const code = (value: string) => expect.objectContaining({ name: 'ReqcastError', code: value });

async function socketAt(path: string): Promise<string> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  afterwards(() => server.close());
  return path;
}

/** A directory with a socket in it, and one beside it. */
async function layout() {
  const root = temporaryDirectory();
  const socketDir = join(root, 'vms');
  mkdirSync(socketDir);
  mkdirSync(join(root, 'vms2'));
  return {
    root,
    socketDir,
    inside: await socketAt(join(socketDir, '42')),
    outside: await socketAt(join(root, 'vms2', '43')),
  };
}

test('a socket in the directory is a target, by its path or from there', async () => {
  const { socketDir, inside } = await layout();
  expect(await confineTarget({ socketPath: inside }, { socketDir })).toEqual({ socketPath: inside });
  expect(await confineTarget({ socketPath: '42' }, { socketDir })).toEqual({ socketPath: inside });
  const http = { socketPath: '42', path: '/ws' };
  expect(await confineTarget({ http }, { socketDir })).toEqual({ http: { socketPath: inside, path: '/ws' } });
});

test('one elsewhere is not, whichever way the path takes', async () => {
  const { root, socketDir, outside, inside } = await layout();
  symlinkSync(outside, join(socketDir, 'link'));
  symlinkSync(join(root, 'vms2'), join(socketDir, 'below'));
  symlinkSync(socketDir, join(root, 'entrance'));
  const refused = [
    outside,
    '../vms2/43',
    join(socketDir, '../vms2/43'),
    'link',
    'below/43',
    '.',
    `${socketDir}2/43`,
  ];
  for (const socketPath of refused) {
    await expect(confineTarget({ socketPath }, { socketDir })).rejects.toEqual(code('TARGET_FORBIDDEN'));
    await expect(confineTarget({ http: { socketPath } }, { socketDir })).rejects.toEqual(
      code('TARGET_FORBIDDEN'),
    );
  }
  // A link to the directory itself is no way out.
  const through = { socketPath: join(root, 'entrance', '42') };
  expect(await confineTarget(through, { socketDir })).toEqual({ socketPath: inside });
  expect(await confineTarget(through, { socketDir: join(root, 'entrance') })).toEqual({ socketPath: inside });
});

test('what is not there, or is no socket, is none', async () => {
  const { socketDir } = await layout();
  writeFileSync(join(socketDir, 'file'), '');
  symlinkSync('nowhere', join(socketDir, 'dangling'));
  for (const socketPath of ['none', 'dangling'])
    await expect(confineTarget({ socketPath }, { socketDir })).rejects.toEqual(code('TARGET_NOT_FOUND'));
  await expect(confineTarget({ socketPath: 'file' }, { socketDir })).rejects.toEqual(
    code('TARGET_FORBIDDEN'),
  );
});

test('its owner must be one of those who may', async () => {
  const { socketDir } = await layout();
  const me = process.getuid?.() as number;
  await expect(confineTarget({ socketPath: '42' }, { socketDir, socketOwners: [me + 1] })).rejects.toEqual(
    code('TARGET_FORBIDDEN'),
  );
  await confineTarget({ socketPath: '42' }, { socketDir, socketOwners: [me + 1, me] });
});

test('ports and other targets are left alone, and without the option everything is', async () => {
  const port = { host: '127.0.0.1', port: 1 };
  expect(await confineTarget(port, { socketDir: '/nowhere' })).toBe(port);
  const http = { http: 'http://127.0.0.1:1/' };
  expect(await confineTarget(http, { socketDir: '/nowhere' })).toBe(http);
  const anywhere = { socketPath: '/nowhere/else' };
  expect(await confineTarget(anywhere, {})).toBe(anywhere);
});
