import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { link, mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eomFormat } from '../../lib/hub/eom-format.ts';
import { Held } from '../../lib/hub/held.ts';
import { Hub } from '../../lib/hub/hub.ts';
import { PushPeer } from '../../lib/push/peer.ts';
import { type PushServerSettings, pushServer } from '../../lib/push/push-server.ts';
import { MAX_SOCKET_PATH_BYTES } from '../../lib/push/socket-path.ts';
import { afterwards, until } from '../support/server.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reqcast-test-'));
  path = join(folder, 'socket');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const code = (value: string) => expect.objectContaining({ name: 'ReqcastError', code: value });

/** A server that listens on `path`, and its ends of the peers. */
async function start(settings: PushServerSettings = {}) {
  const streams: Socket[] = [];
  const server = pushServer({ socketPath: path, closeTimeoutMs: 5000, ...settings }, (stream) =>
    streams.push(stream),
  );
  afterwards(() => server.close());
  await server.open();
  return { server, streams };
}

/** A reader, with all that it has read. */
function read(at = path) {
  const socket = connect(at);
  afterwards(() => socket.destroy());
  const reader = { socket, text: '', closed: new Promise((resolve) => socket.once('close', resolve)) };
  socket.setEncoding('utf8').on('data', (text: string) => {
    reader.text += text;
  });
  socket.on('error', () => {});
  return reader;
}

/** A push server on a hub, as `attach` wires it. */
async function feed(windowSize = 100) {
  const hub = new Hub({
    windowSize,
    stallTimeoutMs: 0,
    loopShare: 1 / 3,
    onFault: (fault) => Promise.reject(fault),
  });
  hub.reset({ epoch: 'e', offset: 0 });
  const streams: Socket[] = [];
  const server = pushServer({ socketPath: path, closeTimeoutMs: 100 }, (stream) => {
    streams.push(stream);
    const peer = new PushPeer(stream, () => subscriber.wake());
    const subscriber = hub.add(eomFormat, { audience: [] }, peer);
    stream.on('close', () => subscriber.leave());
  });
  afterwards(() => server.close());
  await server.open();
  let offset = 0;
  const say = (...topics: Array<string | undefined>) =>
    hub.deliver(topics.map((topic) => ({ offset: ++offset, time: 0, ...(topic && { topic }) })));
  return { hub, server, streams, say };
}

describe('a push server', () => {
  test.each([0o600, 0o660, 0o666])('has a socket of mode %o, and leaves the umask alone', async (mode) => {
    const before = process.umask();
    await start({ mode });
    expect((await stat(path)).mode & 0o777).toBe(mode);
    expect(process.umask()).toBe(before);
  });

  test('has mode 600 unless told otherwise, and leaves no other file', async () => {
    await start();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['socket']);
  });

  test('tells its path, absolute', async () => {
    expect((await start()).server.socketPath).toBe(path);
    expect(pushServer({ socketPath: 'here' }, () => {}).socketPath).toBe(join(process.cwd(), 'here'));
  });

  test.each([
    { mode: 0o1777 },
    { mode: -1 },
    { mode: 1.5 },
    { socketPath: '' },
    { socketPath: `/${'x'.repeat(MAX_SOCKET_PATH_BYTES)}` },
    { closeTimeoutMs: -1 },
    { maxPeers: 0 },
  ])('refuses %j at the call', (settings) => {
    expect(() => pushServer(settings, () => {})).toThrow(code('INVALID_OPTION'));
  });

  test('hands over each peer and drops what peers send', async () => {
    const { streams } = await start();
    const reader = read();
    await until(() => streams.length === 1);
    const sent = 4 * 1024 * 1024;
    await new Promise((resolve) => reader.socket.write(Buffer.alloc(sent), resolve));
    await until(() => streams[0]?.bytesRead === sent);
    expect(streams[0]?.readableLength).toBe(0);
  });

  test('refuses peers above the most it takes', async () => {
    const { streams } = await start({ maxPeers: 2 });
    read();
    read();
    await until(() => streams.length === 2);
    await read().closed;
    expect(streams).toHaveLength(2);
  });

  test('forgets a peer that ends', async () => {
    const { streams } = await start();
    const reader = read();
    await until(() => streams.length === 1);
    reader.socket.end();
    await reader.closed;
    await until(() => streams[0]?.destroyed);
  });

  test('survives a peer that goes while it is written to', async () => {
    const { streams } = await start();
    const reader = read();
    await until(() => streams.length === 1);
    streams[0]?.on('data', () => {});
    reader.socket.destroy();
    while (!streams[0]?.destroyed) await new Promise((resolve) => streams[0]?.write('x', resolve));
    read();
    await until(() => streams.length === 2);
  });

  test('cuts off a peer that cannot be taken', async () => {
    const server = pushServer({ socketPath: path }, () => {
      throw new Error('no');
    });
    afterwards(() => server.close());
    await server.open();
    await read().closed;
  });

  test('keeps no process alive', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name.startsWith('Pipe')).length;
    const { streams } = await start();
    read().socket.unref();
    await until(() => streams.length === 1);
    expect(process.getActiveResourcesInfo().filter((name) => name.startsWith('Pipe'))).toHaveLength(before);
  });
});

describe('opening', () => {
  test('is refused while another listens, who is not disturbed', async () => {
    const { streams } = await start();
    const second = pushServer({ socketPath: path }, () => {});
    await expect(second.open()).rejects.toEqual(code('SOCKET_IN_USE'));
    await second.close();
    read();
    await until(() => streams.length === 2);
  });

  test('takes over the socket of a process that was killed', async () => {
    const old = createServer();
    await new Promise<void>((resolve) => old.listen(`${path}~`, resolve));
    await link(`${path}~`, path);
    await new Promise((resolve) => old.close(resolve));
    const { streams } = await start();
    read();
    await until(() => streams.length === 1);
  });

  test.each(['nothing', 'a dead socket'])('lets one of many win over %s', async (there) => {
    if (there === 'a dead socket') {
      const old = createServer();
      await new Promise<void>((resolve) => old.listen(`${path}~`, resolve));
      await link(`${path}~`, path);
      await new Promise((resolve) => old.close(resolve));
    }
    const servers = Array.from({ length: 8 }, () => pushServer({ socketPath: path }, () => {}));
    const results = await Promise.allSettled(servers.map((server) => server.open()));
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost).toHaveLength(7);
    for (const { reason } of lost) expect(reason).toEqual(code('SOCKET_IN_USE'));
    const reader = read();
    await new Promise((resolve) => reader.socket.once('connect', resolve));
    await Promise.all(servers.map((server) => server.close()));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is one opening, however often it is asked for', async () => {
    const { server } = await start();
    await expect(server.open()).resolves.toBeUndefined();
  });

  test('is refused after closing', async () => {
    const { server } = await start();
    await server.close();
    await expect(server.open()).rejects.toEqual(code('CLOSED'));
  });
});

describe('closing', () => {
  test('ends the peers after all that was written, and takes the socket away', async () => {
    const { server, streams } = await start();
    const reader = read();
    await until(() => streams.length === 1);
    const text = 'x'.repeat(1_000_000);
    streams[0]?.write(text);
    await server.close();
    await reader.closed;
    expect(reader.text).toHaveLength(text.length);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('cuts off a peer that does not go', async () => {
    const { server, streams } = await start({ closeTimeoutMs: 20 });
    const deaf = read();
    deaf.socket.pause();
    await until(() => streams.length === 1);
    streams[0]?.write(Buffer.alloc(8 * 1024 * 1024));
    await server.close();
    expect(streams[0]?.destroyed).toBe(true);
  });

  test('is one closing, before, during and after opening', async () => {
    const server = pushServer({ socketPath: path }, () => {});
    const opened = server.open();
    await Promise.all([server.close(), server.close(), opened]);
    expect(existsSync(path)).toBe(false);
    await server.close();
    await pushServer({ socketPath: path }, () => {}).close();
  });

  test('leaves the socket of another that took the path', async () => {
    const { server } = await start();
    unlinkSync(path);
    const other = createServer((stream) => stream.end('other'));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    afterwards(() => new Promise((resolve) => other.close(resolve)));
    await server.close();
    const reader = read();
    await reader.closed;
    expect(reader.text).toBe('other');
  });
});

describe('the feed', () => {
  test('is the topics of the entries that have one', async () => {
    const { streams, say } = await feed();
    const reader = read();
    await until(() => streams.length === 1);
    say('POST:/ginger/users', undefined, 'DELETE:/ginger/users/é');
    say(undefined);
    await until(() => reader.text.includes('DELETE'));
    expect(reader.text).toBe('POST:/ginger/users//EOM//DELETE:/ginger/users/é//EOM//');
  });

  test('has no frame for entries without a topic', () => {
    expect(eomFormat.encode([new Held({ offset: 1, time: 0 })], { epoch: 'e', offset: 1 })).toBeUndefined();
  });

  test('reaches a slow reader whole when it reads again', async () => {
    const { streams, say } = await feed(100_000);
    const reader = read();
    reader.socket.pause();
    await until(() => streams.length === 1);
    const topics = Array.from({ length: 20_000 }, (_, i) => `POST:/a/${i}-${'x'.repeat(100)}`);
    say(...topics);
    await until(() => streams[0]?.writableNeedDrain);
    expect(streams[0]?.writableLength).toBeLessThan(1024 * 1024);
    reader.socket.resume();
    await until(() => reader.text.includes(topics.at(-1) as string));
    expect(reader.text).toBe(topics.map((topic) => `${topic}//EOM//`).join(''));
  });

  test('ends for a reader that missed something', async () => {
    const { hub, streams } = await feed();
    const reader = read();
    await until(() => streams.length === 1);
    hub.reset({ epoch: 'f', offset: 0 });
    await reader.closed;
    await until(() => hub.size === 0);
  });

  const hasNc = spawnSync('nc', ['-h']).error === undefined;
  if (!hasNc) process.stderr.write('nc is not installed: its test is skipped\n');
  (hasNc || process.env.CI === 'true' ? test : test.skip)('is read by nc', async () => {
    const { server, streams, say } = await feed();
    const nc = spawn('nc', ['-U', path]);
    afterwards(() => nc.kill());
    let text = '';
    nc.stdout.on('data', (chunk) => {
      text += chunk;
    });
    const failed = new Promise<never>((_, reject) => nc.once('error', reject));
    await Promise.race([failed, until(() => streams.length === 1)]);
    nc.stdin.write('heartbeat\n');
    say('POST:/ginger/users');
    say('PUT:/ginger/users/7');
    await until(() => text.includes('PUT'));
    expect(text).toBe('POST:/ginger/users//EOM//PUT:/ginger/users/7//EOM//');
    await server.close();
  });
});
