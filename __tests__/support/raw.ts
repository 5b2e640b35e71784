/** WebSockets as bytes (RFC 6455), for what a WebSocket class would not do. */
import net from 'node:net';
import { afterwards } from './server.ts';

/** An upgrade request. */
export function upgradeRequest(target: string, headers: readonly string[] = []): string {
  const lines = [
    `GET ${target} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export interface Frame {
  payload: Uint8Array;
  /** @default 1 */
  opcode?: number;
  /** @default true */
  fin?: boolean;
  /** The reserved bits, 0 to 7. @default 0 */
  reserved?: number;
  /** @default true */
  masked?: boolean;
  /** What the length field says. @default the payload's */
  length?: number;
}

/** One frame of a client, right or wrong; its mask is zero, so the payload stays as it is. */
export function frame({
  payload,
  opcode = 1,
  fin = true,
  reserved = 0,
  masked = true,
  length,
}: Frame): Buffer {
  const said = length ?? payload.length;
  const field = said < 126 ? Buffer.alloc(0) : Buffer.alloc(said < 65_536 ? 2 : 8);
  if (field.length === 2) field.writeUInt16BE(said);
  if (field.length === 8) field.writeBigUInt64BE(BigInt(said));
  const short = field.length === 0 ? said : field.length === 2 ? 126 : 127;
  const head = [(fin ? 128 : 0) | (reserved << 4) | opcode, (masked ? 128 : 0) | short];
  return Buffer.concat([Buffer.from(head), field, Buffer.alloc(masked ? 4 : 0), payload]);
}

export const textFrame = (text: string) => frame({ payload: Buffer.from(text) });

/** A client that reads frames of the server only when told to. */
export class RawClient {
  readonly socket: net.Socket;
  /** What came in text frames. */
  onText: (text: string) => void = () => {};
  /** The close frame's code, once it came. */
  closeCode: number | undefined;
  closed = false;
  #rest: Buffer = Buffer.alloc(0);
  #headSeen = false;

  /** @param at a port or the path of a UNIX socket */
  constructor(at: number | string, target = '/websockify', headers = ['Sec-WebSocket-Protocol: reqcast.v1']) {
    this.socket = typeof at === 'string' ? net.connect(at) : net.connect(at, '127.0.0.1');
    afterwards(() => this.socket.destroy());
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('data', (chunk) => this.#read(chunk));
    this.socket.write(upgradeRequest(target, headers));
  }

  say(text: string): void {
    this.socket.write(textFrame(text));
  }

  #read(chunk: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.#headSeen) {
      const end = data.indexOf('\r\n\r\n');
      if (end >= 0) this.#headSeen = true;
      data = end < 0 ? data : data.subarray(end + 4);
    }
    while (this.#headSeen && data.length >= 2) {
      const short = (data[1] as number) & 127;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length < start) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
      if (data.length < start + length) break;
      this.#take((data[0] as number) & 15, data.subarray(start, start + length));
      data = data.subarray(start + length);
    }
    this.#rest = data;
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === 1) this.onText(payload.toString());
    else if (opcode === 8) this.closeCode = payload.readUInt16BE();
  }
}
