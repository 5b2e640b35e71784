import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { bind } from '../../lib/unix/bind.ts';
import { claim } from '../../lib/unix/claim.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards } from '../support/server.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory, 'socket');
});

const code = (value: string) => expect.objectContaining({ code: value });

/** A server whose socket stays when it ends, as that of a killed process does. */
async function listenAt(where: string) {
  const server = createServer();
  await new Promise<void>((done) => server.listen(`${where}~`, done));
  await rename(`${where}~`, where);
  return server;
}

/** A socket that nobody listens on. */
async function leaveSocketAt(where: string) {
  const server = await listenAt(where);
  await new Promise((done) => server.close(done));
}

async function take(where = path) {
  await claim(where, 'go away');
  const server = createServer((stream) => stream.on('error', () => {}).end('mine')).unref();
  const bound = await bind(server, where, 0o600);
  afterwards(() => {
    bound.release();
    server.close();
  });
  return { server, bound };
}

test('a dead socket is removed, and nothing of the removal is left', async () => {
  await leaveSocketAt(path);
  await claim(path, 'go away');
  expect(readdirSync(directory)).toEqual([]);
});

test('a socket that dies while it is asked is removed', async () => {
  const server = await listenAt(path);
  const claimed = claim(path, 'go away');
  server.close();
  await claimed;
  expect(readdirSync(directory)).toEqual([]);
});

test('a live socket stays, and the error says what else to do', async () => {
  await take();
  await expect(claim(path, 'go away')).rejects.toEqual(code('SOCKET_IN_USE'));
  await expect(claim(path, 'go away')).rejects.toThrow(
    `${path} is in use: end the process that listens there, or go away.`,
  );
});

test('a dead socket stays while another takes it over', async () => {
  await leaveSocketAt(path);
  const guard = createHash('sha256').update(path).digest('base64url').slice(0, 8);
  const { bound, server } = await take(join(directory, `.${guard}`));
  await expect(claim(path, 'go away')).rejects.toThrow('another takes it over just now');
  expect(existsSync(path)).toBe(true);
  bound.release();
  server.close();
  await claim(path, 'go away');
});

test('a guard that its process left behind is taken over like the socket', async () => {
  await leaveSocketAt(path);
  const guard = createHash('sha256').update(path).digest('base64url').slice(0, 8);
  await leaveSocketAt(join(directory, `.${guard}`));
  await claim(path, 'go away');
  expect(readdirSync(directory)).toEqual([]);
});

test('a name is released once, and only if it is still the socket that was bound', async () => {
  const first = await take();
  first.bound.release();
  expect(existsSync(path)).toBe(false);
  await take();
  first.bound.release();
  const text = await new Promise((done) => connect(path).once('data', (data) => done(String(data))));
  expect(text).toBe('mine');
});
