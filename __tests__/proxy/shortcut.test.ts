import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { shortcut } from '../../lib/proxy/shortcut.ts';
import { afterwards, until } from '../support/server.ts';

const MOST = 100_000;

interface Ends {
  client: Socket;
  ws: WebSocket;
  /** The server's end of the client's connection. */
  socket: Socket;
  got: Buffer[];
}

/** A client that writes whatever it likes after its handshake, or along with it. */
async function open({ along = '' as string | Buffer, inPieces = false } = {}): Promise<Ends> {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: MOST });
  afterwards(() => new Promise((done) => wss.close(done)));
  await once(wss, 'listening');
  const got: Buffer[] = [];
  const connected = once(wss, 'connection').then(([ws, request]) => {
    ws.on('error', () => {});
    return { ws, socket: request.socket };
  });
  wss.on('connection', (ws, request) => {
    shortcut(ws, request.socket, { kind: 'binary', inPieces, maxMessageBytes: MOST });
    ws.on('message', (data: Buffer) => got.push(data));
  });
  const client = connect((wss.address() as AddressInfo).port, '127.0.0.1');
  afterwards(() => client.destroy());
  client.on('error', () => {});
  const handshake =
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
  client.write(Buffer.concat([Buffer.from(handshake), Buffer.from(along)]));
  return { client, got, ...(await connected) };
}

interface Form {
  opcode?: number;
  fin?: boolean;
  mask?: Buffer;
}

function frame(payload: Buffer, { opcode = 2, fin = true, mask = randomBytes(4) }: Form = {}): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (length < 126 ? length : length < 65536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i & 3] as number))]);
}

/** Each cut is a piece of its own for the server, which has read it before the next one is sent. */
async function sendInPieces({ client, socket }: Ends, bytes: Buffer, most: number): Promise<void> {
  const before = socket.bytesRead;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + randomInt(1, most + 1));
    client.write(bytes.subarray(at, end));
    at = end;
    await until(() => socket.bytesRead === before + at);
  }
}

const SIZES = [0, 1, 3, 4, 5, 125, 126, 127, 128, 129, 135, 200, 1000, 4099, 65_535, 65_536, 70_001];

describe('what a client sends', () => {
  test('is told as it was meant, whatever its length and its mask', async () => {
    const ends = await open();
    const sent = SIZES.map((size) => randomBytes(size));
    for (const payload of sent) ends.client.write(frame(payload));
    ends.client.write(frame(Buffer.from('zero'), { mask: Buffer.alloc(4) }));
    await until(() => ends.got.length === sent.length + 1);
    expect(ends.got).toEqual([...sent, Buffer.from('zero')]);
  });

  test.each([1, 7, 50])('is told as it was meant, cut anywhere into at most %d bytes', async (most) => {
    const ends = await open();
    const sent = Array.from({ length: 20 }, () => randomBytes(randomInt(0, 10 * most)));
    await sendInPieces(ends, Buffer.concat(sent.map((payload) => frame(payload))), most);
    expect(ends.got).toEqual(sent);
  });

  test.each([7, 50])(
    'is told in pieces where that is enough, cut anywhere into at most %d bytes',
    async (most) => {
      const ends = await open({ inPieces: true });
      const sent = Array.from({ length: 20 }, () => randomBytes(randomInt(0, 10 * most)));
      await sendInPieces(ends, Buffer.concat(sent.map((payload) => frame(payload))), most);
      expect(Buffer.concat(ends.got)).toEqual(Buffer.concat(sent));
      expect(ends.got.length).toBeGreaterThan(sent.length);
    },
  );

  test('is told in order, what came together as one where that is enough, and around what goes the long way', async () => {
    const { client, got } = await open({ inPieces: true });
    const words = ['one ', 'two ', 'three '].map((word) => frame(Buffer.from(word)));
    const long = [frame(Buffer.from('four '), { fin: false }), frame(Buffer.from('five '), { opcode: 0 })];
    client.write(Buffer.concat([...words, ...long, frame(Buffer.from('six'))]));
    await until(() => String(got.at(-1)) === 'six');
    expect(got.map(String)).toEqual(['one two three ', 'four five ', 'six']);
  });

  test('is told as it was meant when it came with the handshake', async () => {
    const { got } = await open({ along: frame(Buffer.from('at once, and longer than a few')) });
    await until(() => String(got[0]) === 'at once, and longer than a few');
  });

  test('may be fragments with a ping between them, which is answered with its own bytes', async () => {
    const { client, got } = await open();
    const answered = once(client, 'data').then(() => once(client, 'data')) as Promise<[Buffer]>;
    client.write(frame(Buffer.from('one '), { fin: false }));
    client.write(frame(Buffer.from('are you there?'), { opcode: 9 }));
    client.write(frame(Buffer.from('two'), { opcode: 0 }));
    expect((await answered)[0].toString('latin1')).toBe('\x8a\x0eare you there?');
    await until(() => String(got[0]) === 'one two');
  });

  test('is left to ws to refuse when it is not masked', async () => {
    const { client, ws, got } = await open();
    client.write('\x82\x02hi', 'latin1');
    const [error] = await once(ws, 'error');
    expect([error.code, got]).toEqual(['WS_ERR_EXPECTED_MASK', []]);
  });

  test.each([
    ['a bit that nobody agreed on', frame(Buffer.from('hi'), { opcode: 0x42 }), 'WS_ERR_UNEXPECTED_RSV_1'],
    ['an unknown opcode', frame(Buffer.from('hi'), { opcode: 3 }), 'WS_ERR_INVALID_OPCODE'],
    ['a fragment of nothing', frame(Buffer.from('hi'), { opcode: 0 }), 'WS_ERR_INVALID_OPCODE'],
    [
      'a ping that is too long',
      frame(randomBytes(126), { opcode: 9 }),
      'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    ],
    ['more than a message may have', frame(randomBytes(MOST + 1)), 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
    ['text that is not UTF-8', frame(Buffer.from([0xff]), { opcode: 1 }), 'WS_ERR_INVALID_UTF8'],
  ])('is left to ws to refuse when it is %s, and so is all that follows', async (_, bytes, code) => {
    const { client, ws, got } = await open({ inPieces: true });
    client.write(Buffer.concat([frame(Buffer.from('before')), bytes]));
    const [error] = await once(ws, 'error');
    const closed = once(ws, 'close');
    client.end(frame(Buffer.from('after')));
    await closed;
    expect([error.code, String(Buffer.concat(got))]).toEqual([code, 'before']);
  });

  test('is left to ws to refuse when a message begins within another', async () => {
    const { client, ws, got } = await open();
    client.write(Buffer.concat([frame(Buffer.from('one '), { fin: false }), frame(Buffer.from('two'))]));
    const [error] = await once(ws, 'error');
    expect([error.code, got]).toEqual(['WS_ERR_INVALID_OPCODE', []]);
  });

  test('is nothing any more after its Close frame', async () => {
    const { client, ws, got } = await open();
    const closed = once(ws, 'close');
    const bytes = [frame(Buffer.from('last')), frame(Buffer.from([0x03, 0xe9]), { opcode: 8 })];
    client.write(Buffer.concat([...bytes, frame(Buffer.from('after'))]));
    client.resume();
    expect((await closed)[0]).toBe(1001);
    expect(got.map(String)).toEqual(['last']);
  });

  test('reaches nobody half unmasked when the connection breaks off while it is paused', async () => {
    const { client, ws, socket, got } = await open();
    const whole = frame(randomBytes(100_000));
    client.write(whole.subarray(0, 50_000));
    await until(() => socket.bytesRead > 50_000);
    ws.pause();
    socket.unshift(Buffer.from(whole.subarray(50_000)));
    ws.terminate();
    await once(ws, 'close');
    expect(got).toEqual([]);
  });
});
