import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { CloseCode } from '../../lib/protocol/close-codes.ts';
import { lettersOf } from '../../lib/proxy/base64.ts';
import { connectTarget } from '../../lib/proxy/connect.ts';
import { Inlet, READ_BYTES } from '../../lib/proxy/inlet.ts';
import type { TunnelEnd } from '../../lib/proxy/open-tunnel.ts';
import { type TunnelOptions, type TunnelWire, tunnel } from '../../lib/proxy/tunnel.ts';
import { afterwards, until } from '../support/server.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reqcast-test-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const WIRES = ['binary', 'base64'] as const;
const MB = 1024 * 1024;

interface Ends {
  /** The browser's end. */
  client: WebSocket;
  clientClosed: Promise<{ code: number; reason: string }>;
  /** The bytes of all messages of the wire's kind that the client was sent. */
  got: Buffer[];
  /** The tunnel's two ends. */
  ws: WebSocket;
  /** The server's end of the client's connection. */
  stream: Socket;
  socket: Socket;
  /** The target's end. */
  target: Socket;
  targetServer: Server;
  end: Promise<TunnelEnd>;
}

interface Setup {
  wire?: TunnelWire;
  /** Over TCP, which has resets; a UNIX socket has none. */
  tcp?: boolean;
  options?: TunnelOptions;
  /** Runs before the tunnel begins. */
  before?: (socket: Socket, target: Socket) => unknown;
}

async function open({ wire = 'binary', tcp = false, options = {}, before }: Setup = {}): Promise<Ends> {
  const targetServer = createServer({ allowHalfOpen: true });
  const accepted = once(targetServer, 'connection') as Promise<[Socket]>;
  const path = join(folder, 'target');
  await new Promise<void>((done) => targetServer.listen(tcp ? { port: 0, host: '127.0.0.1' } : path, done));
  afterwards(() => new Promise((done) => targetServer.close(done)));
  const { port } = targetServer.address() as AddressInfo;
  const inlet = new Inlet();
  const socket = await connectTarget(tcp ? { host: '127.0.0.1', port } : { socketPath: path }, { inlet });
  const [target] = await accepted;
  afterwards(() => target.destroy());
  target.on('error', () => {});
  await before?.(socket, target);

  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 16 * MB });
  await once(wss, 'listening');
  afterwards(() => new Promise((done) => wss.close(done)));
  const begun = new Promise<Pick<Ends, 'ws' | 'stream' | 'end'>>((resolve) =>
    wss.on('connection', (ws, request) => {
      const stream = request.socket;
      const client = { ws, stream, maxMessageBytes: 16 * MB };
      resolve({ ws, stream, end: tunnel(client, socket, inlet, wire, options).ended });
    }),
  );
  const client = new WebSocket(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`);
  afterwards(() => client.terminate());
  client.on('error', () => {});
  const clientClosed = new Promise<{ code: number; reason: string }>((resolve) =>
    client.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  const got: Buffer[] = [];
  client.on('message', (data: Buffer, isBinary) => {
    if (isBinary !== (wire === 'binary')) return;
    got.push(isBinary ? data : Buffer.from(data.toString(), 'base64'));
  });
  const opened = once(client, 'open');
  const { ws, stream, end } = await begun;
  await opened;
  return { client, clientClosed, got, ws, stream, socket, target, targetServer, end };
}

function targetBytes(target: Socket): Buffer[] {
  const got: Buffer[] = [];
  target.on('data', (chunk) => got.push(chunk));
  return got;
}

const sizeOf = (chunks: readonly Buffer[]) => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
const textOf = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString();

function sha256(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

async function nothingIsOpen({ ws, socket, targetServer, end }: Ends): Promise<TunnelEnd> {
  const result = await end;
  expect(ws.readyState).toBe(ws.CLOSED);
  expect(socket.destroyed).toBe(true);
  await until(
    () => new Promise<boolean>((resolve) => targetServer.getConnections((_, n) => resolve(n === 0))),
  );
  return result;
}

const rawSocket = (ws: WebSocket) => (ws as unknown as { _socket: Socket })._socket;

/** Resolves when a number has been the same for many turns of the event loop. */
async function standsStill(value: () => number): Promise<number> {
  let last = -1;
  let same = 0;
  await until(() => {
    same = value() === last ? same + 1 : 0;
    last = value();
    return same >= 50;
  });
  return last;
}

describe.each(WIRES)('a tunnel on the %s wire', (wire) => {
  const encode = (bytes: Buffer) => (wire === 'binary' ? bytes : bytes.toString('base64'));

  test('carries 50 MB from the target unchanged, then closes with 1000', async () => {
    const ends = await open({ wire });
    const { got } = ends;
    const sent = Array.from({ length: 50 }, () => randomBytes(MB));
    await pipeline(Readable.from(sent), ends.target, { end: true });
    expect(await ends.clientClosed).toEqual({ code: 1000, reason: 'the target ended' });
    expect(sizeOf(got)).toBe(50 * MB);
    expect(sha256(got)).toBe(sha256(sent));
    expect(await nothingIsOpen(ends)).toEqual({ reason: 'target-closed', bytesIn: 0, bytesOut: 50 * MB });
  });

  test('carries 50 MB to the target unchanged, then ends it', async () => {
    const ends = await open({ wire });
    const got = targetBytes(ends.target);
    const ended = once(ends.target, 'end');
    const sent = Array.from({ length: 50 }, () => randomBytes(MB));
    for (const chunk of sent) ends.client.send(encode(chunk));
    ends.client.close(1000);
    await ended;
    ends.target.end();
    expect(sizeOf(got)).toBe(50 * MB);
    expect(sha256(got)).toBe(sha256(sent));
    expect(await nothingIsOpen(ends)).toEqual({ reason: 'client-closed', bytesIn: 50 * MB, bytesOut: 0 });
  });

  test('stops the target while the client does not read, then goes on', async () => {
    const ends = await open({ wire });
    const { got } = ends;
    ends.client.pause();
    const total = 48 * MB;
    let taken = 0;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const pump = () => {
      if (taken === total) ends.target.end();
      else
        ends.target.write(chunk, () => {
          taken += chunk.length;
          pump();
        });
    };
    pump();
    await until(() => ends.socket.isPaused());
    expect(await standsStill(() => taken)).toBeLessThan(total);
    expect(ends.socket.isPaused()).toBe(true);
    // One read, a third more for base64, and the frame's header.
    expect(ends.ws.bufferedAmount).toBeLessThanOrEqual(lettersOf(READ_BYTES) + 10);
    ends.client.resume();
    expect((await ends.clientClosed).code).toBe(1000);
    expect(sizeOf(got)).toBe(total);
    await nothingIsOpen(ends);
  });

  test('stops the client while the target does not read, then goes on', async () => {
    const ends = await open({ wire });
    const total = 48 * MB;
    let taken = 0;
    const chunk = encode(Buffer.alloc(64 * 1024, 'x'));
    const pump = () => {
      if (taken === total) ends.client.close(1000);
      else
        ends.client.send(chunk, () => {
          taken += 64 * 1024;
          pump();
        });
    };
    pump();
    await until(() => ends.ws.isPaused);
    expect(await standsStill(() => taken)).toBeLessThan(total);
    expect(ends.ws.isPaused).toBe(true);
    expect(ends.socket.writableLength).toBeLessThan(256 * 1024);
    const got = targetBytes(ends.target);
    await once(ends.target, 'end');
    ends.target.end();
    expect(sizeOf(got)).toBe(total);
    await nothingIsOpen(ends);
  });

  test('carries what the target says before the client is there', async () => {
    const ends = await open({ wire, before: (_, target) => void target.write('RFB 003.008\n') });
    const { got } = ends;
    await until(() => textOf(got) === 'RFB 003.008\n');
    ends.client.close();
    await once(ends.target.resume(), 'end');
    ends.target.end();
    await nothingIsOpen(ends);
  });

  test('carries an answer to each question', async () => {
    const ends = await open({ wire });
    ends.target.on('data', (chunk) => ends.target.write(chunk));
    const { got } = ends;
    let said = '';
    for (const word of ['one ', 'two ', 'three']) {
      said += word;
      ends.client.send(encode(Buffer.from(word)));
      await until(() => textOf(got) === said);
    }
    ends.client.send('');
    ends.target.end();
    expect(await nothingIsOpen(ends)).toEqual({ reason: 'target-closed', bytesIn: 13, bytesOut: 13 });
  });
});

describe('what the client sends', () => {
  test('is UTF-8 when it is text on the binary wire', async () => {
    const { client, target } = await open();
    const got = targetBytes(target);
    client.send('grüße');
    await until(() => textOf(got) === 'grüße');
  });

  test('is joined when it comes in fragments', async () => {
    const { client, target } = await open();
    const got = targetBytes(target);
    client.send('one ', { fin: false });
    client.send('two');
    await until(() => textOf(got) === 'one two');
  });

  test('is base64 in its variants on the base64 wire, binary frames too', async () => {
    const { client, target } = await open({ wire: 'base64' });
    const got = targetBytes(target);
    for (const text of ['+//+AQ==', '+//+AQ', '-__-AQ', ' +//+\r\nAQ==\n', Buffer.from('+//+AQ==')])
      client.send(text);
    await until(() => sizeOf(got) === 20);
    expect(Buffer.concat(got).toString('hex')).toBe('fbfffe01'.repeat(5));
  });

  test('closes the tunnel with 1007 when it is not base64, and nothing after it reaches the target', async () => {
    const ends = await open({ wire: 'base64' });
    const got = targetBytes(ends.target);
    for (const text of ['Z29vZA==', 'b*d', 'bGF0ZQ==']) ends.client.send(text);
    expect(await ends.clientClosed).toEqual({ code: CloseCode.invalidPayload, reason: 'not base64' });
    if (!ends.target.readableEnded) await once(ends.target, 'end');
    ends.target.end();
    expect(textOf(got)).toBe('good');
    expect(await nothingIsOpen(ends)).toEqual({ reason: 'invalid-payload', bytesIn: 4, bytesOut: 0 });
  });

  test('ends the tunnel when it is not WebSocket', async () => {
    const ends = await open();
    rawSocket(ends.client).write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await once(ends.target.resume(), 'end');
    ends.target.end();
    expect((await nothingIsOpen(ends)).reason).toBe('client-failed');
  });
});

describe('the end', () => {
  test('of the target leaves its other half to what the client still sends', async () => {
    const ends = await open();
    const got = targetBytes(ends.target);
    ends.client.pause();
    ends.target.end('bye');
    await until(() => ends.ws.readyState === ends.ws.CLOSING);
    ends.client.send('last words');
    await until(() => textOf(got) === 'last words');
    ends.client.resume();
    expect((await ends.clientClosed).code).toBe(1000);
    expect((await nothingIsOpen(ends)).reason).toBe('target-closed');
  });

  test('of the client ends the target, which may say more to nobody', async () => {
    const ends = await open();
    ends.client.close(1001);
    await once(ends.target.resume(), 'end');
    ends.target.end(Buffer.alloc(4 * MB));
    expect((await nothingIsOpen(ends)).reason).toBe('client-closed');
  });

  test('of the client cuts off a target that does not end in time', async () => {
    const ends = await open({ options: { closeTimeoutMs: 20 } });
    const closed = new Promise((resolve) => ends.socket.once('close', resolve));
    ends.client.close();
    await once(ends.target.resume(), 'end');
    await closed;
    expect(ends.target.writable).toBe(true);
    ends.target.destroy();
    expect((await nothingIsOpen(ends)).reason).toBe('client-closed');
  });

  test.each(['terminates', 'resets'])('comes to the target when the client %s', async (how) => {
    const ends = await open();
    if (how === 'resets') rawSocket(ends.client).resetAndDestroy();
    else ends.client.terminate();
    await once(ends.target.resume(), 'end');
    ends.target.end();
    expect((await nothingIsOpen(ends)).reason).toBe('client-failed');
  });

  test('comes to a target that is stopped when the client terminates', async () => {
    const ends = await open();
    ends.client.pause();
    ends.target.write(Buffer.alloc(32 * MB));
    await until(() => ends.socket.isPaused());
    ends.client.terminate();
    await until(() => ends.target.destroyed);
    expect((await nothingIsOpen(ends)).reason).toBe('client-failed');
  });

  test('comes to the client as 4502 when the target resets', async () => {
    const ends = await open({ tcp: true });
    ends.client.send('hello');
    await once(ends.target, 'data');
    ends.target.resetAndDestroy();
    expect(await ends.clientClosed).toEqual({ code: CloseCode.targetFailed, reason: 'the target failed' });
    expect((await nothingIsOpen(ends)).reason).toBe('target-failed');
  });

  test('comes to a client that is stopped as 4502 when the target resets', async () => {
    const ends = await open({ tcp: true });
    const chunk = Buffer.alloc(MB);
    const pump = () => ends.client.readyState === ends.client.OPEN && ends.client.send(chunk, pump);
    pump();
    await until(() => ends.ws.isPaused);
    ends.target.resetAndDestroy();
    expect((await ends.clientClosed).code).toBe(CloseCode.targetFailed);
    expect((await nothingIsOpen(ends)).reason).toBe('target-failed');
  });

  test.each(['has reset', 'is gone'])(
    'comes to the client as 4502 when the target %s before it begins',
    async (how) => {
      const ends = await open({
        tcp: true,
        before: async (socket, target) => {
          if (how === 'has reset') target.resetAndDestroy();
          else await once(socket.destroy(), 'close').then(() => target.destroy());
        },
      });
      expect((await ends.clientClosed).code).toBe(CloseCode.targetFailed);
      expect(await nothingIsOpen(ends)).toEqual({ reason: 'target-failed', bytesIn: 0, bytesOut: 0 });
    },
  );

  test('comes to the target when the WebSocket is closed before it begins', async () => {
    const first = await open();
    first.client.terminate();
    await once(first.target.resume(), 'end');
    first.target.end();
    await nothingIsOpen(first);
    await rm(join(folder, 'target'), { force: true });
    const targetServer = createServer((stream) => stream.on('error', () => {}).resume());
    await new Promise<void>((resolve) => targetServer.listen(join(folder, 'second'), resolve));
    afterwards(() => new Promise((resolve) => targetServer.close(resolve)));
    const inlet = new Inlet();
    const socket = await connectTarget({ socketPath: join(folder, 'second') }, { inlet });
    const gone = { ws: first.ws, stream: first.stream, maxMessageBytes: 16 * MB };
    expect((await tunnel(gone, socket, inlet, 'binary').ended).reason).toBe('client-failed');
    expect(socket.destroyed).toBe(true);
  });
});
