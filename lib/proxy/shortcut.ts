import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Mask } from './mask.ts';

/** Of a client's frame, with its mask. */
const MAX_HEADER_BYTES = 14;
const MASK_BYTES = 4;
const FINAL = 0x80;
const MASKED = 0x80;
const [CONTINUATION, TEXT, BINARY, PING, PONG] = [0, 1, 2, 9, 10];

export interface ShortcutOptions {
  /** What is a message here; one of the other kind comes the long way. */
  kind: 'text' | 'binary';
  /** Messages are no more than pieces of a stream, and may be told in others. */
  inPieces: boolean;
  /** What `ws` was told to take at most. */
  maxMessageBytes: number;
}

/**
 * Tells what a client sends as `message` of its WebSocket, without the detour through `ws`, which costs more than all
 * the rest of a tunnel together: it takes masks off byte by byte and joins and copies what it was given. That is for
 * messages of one frame. All else, which is pings, fragments, the end and what no client should send, is left to `ws`
 * to join, answer or refuse. To be called before anything was read, and after `ws` has the socket. Text is not
 * checked to be UTF-8.
 */
export function shortcut(ws: WebSocket, socket: Duplex, options: ShortcutOptions): void {
  const longWay = socket.listeners('data').at(-1) as (chunk: Buffer) => void;
  const frames = new ClientFrames(ws, options, (bytes) => longWay.call(socket, bytes));
  const take = (chunk: Buffer) => frames.take(chunk);
  socket.off('data', longWay);
  socket.on('data', take);
  ws.once('error', () => socket.off('data', take));
  // In a socket that broke off while it was paused `ws` looks for a rest, past its listeners.
  socket.prependListener('close', () => socket.read());
}

/** Goes over the frames of RFC 6455, 5.2, wherever they are cut. */
class ClientFrames {
  readonly #ws: WebSocket;
  readonly #options: ShortcutOptions;
  readonly #longWay: (bytes: Buffer) => void;
  /** The first byte of a frame that is a message. */
  readonly #plainFirst: number;
  readonly #header = Buffer.alloc(MAX_HEADER_BYTES);
  /** How much of the header has come, and how long it is. */
  #at = 0;
  #headerBytes = 2;
  readonly #mask = new Mask();
  /** Of the payload. */
  #length = 0;
  #left = 0;
  #plain = false;
  /** Where in a chunk its pieces have been put together; to 0 if it has none so far. */
  #gatheredFrom = 0;
  #gatheredTo = 0;
  /** What has come of a message that is cut and is to be told as a whole. */
  #joined: Buffer | undefined;
  /** Between the first and the last fragment of a message. */
  #inFragments = false;
  /** From here on all goes the long way: the client is leaving, or `ws` is to refuse what it said. */
  #handedOver = false;

  constructor(ws: WebSocket, options: ShortcutOptions, longWay: (bytes: Buffer) => void) {
    this.#ws = ws;
    this.#options = options;
    this.#longWay = longWay;
    this.#plainFirst = FINAL | (options.kind === 'binary' ? BINARY : TEXT);
  }

  take(chunk: Buffer): void {
    let i = 0;
    while (i < chunk.length && !this.#handedOver) {
      if (this.#left === 0) this.#headerByte(chunk, i++);
      else {
        const end = Math.min(chunk.length, i + this.#left);
        this.#payload(chunk, i, end);
        i = end;
      }
    }
    this.#flush(chunk);
    if (i < chunk.length) this.#longWay(chunk.subarray(i));
  }

  #headerByte(chunk: Buffer, i: number): void {
    const byte = chunk[i] as number;
    const at = this.#at++;
    this.#header[at] = byte;
    if (at === 0) this.#headerBytes = 2;
    else if (at === 1) {
      const length = byte & 0x7f;
      const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#length = extended === 0 ? length : 0;
      this.#headerBytes = 2 + extended + MASK_BYTES;
      if (!isFamiliar(this.#header[0] as number, byte)) this.#handOver(chunk);
    } else if (at < this.#headerBytes - MASK_BYTES) this.#length = this.#length * 256 + byte;
    else if (this.#at === this.#headerBytes) this.#begin(chunk);
  }

  #handOver(chunk: Buffer): void {
    this.#flush(chunk);
    this.#handedOver = true;
    this.#longWay(Buffer.from(this.#header.subarray(0, this.#at)));
  }

  /** A frame whose header is complete. */
  #begin(chunk: Buffer): void {
    if (this.#length > this.#options.maxMessageBytes) {
      this.#handOver(chunk);
      return;
    }
    this.#at = 0;
    const first = this.#header[0] as number;
    const header = this.#header.subarray(0, this.#headerBytes);
    const mask = header.subarray(-MASK_BYTES);
    this.#mask.set(mask);
    this.#left = this.#length;
    this.#plain = first === this.#plainFirst && !this.#inFragments;
    if (this.#plain) {
      if (this.#length === 0) this.#tell(Buffer.alloc(0));
      return;
    }
    if (first < PING) this.#inFragments = true;
    if (first === (FINAL | CONTINUATION)) this.#inFragments = false;
    mask.fill(0);
    this.#flush(chunk);
    this.#longWay(Buffer.from(header));
  }

  #payload(chunk: Buffer, from: number, to: number): void {
    const piece = chunk.subarray(from, to);
    this.#mask.takeOff(piece);
    this.#left -= piece.length;
    if (!this.#plain) this.#longWay(piece);
    else if (this.#options.inPieces) this.#gather(chunk, from, to);
    else if (piece.length === this.#length) this.#tell(piece);
    else this.#join(piece);
  }

  /** Moving a piece next to the one before it takes a fraction of what another turn of all that follows does. */
  #gather(chunk: Buffer, from: number, to: number): void {
    if (this.#gatheredTo === 0) this.#gatheredFrom = from;
    else chunk.copyWithin(this.#gatheredTo, from, to);
    this.#gatheredTo = this.#gatheredTo === 0 ? to : this.#gatheredTo + to - from;
  }

  /** In order: before anything else of the same chunk goes its way. */
  #flush(chunk: Buffer): void {
    if (this.#gatheredTo === 0) return;
    const gathered = chunk.subarray(this.#gatheredFrom, this.#gatheredTo);
    this.#gatheredTo = 0;
    this.#tell(gathered);
  }

  #join(piece: Buffer): void {
    this.#joined ??= Buffer.allocUnsafe(this.#length);
    piece.copy(this.#joined, this.#length - this.#left - piece.length);
    if (this.#left > 0) return;
    const joined = this.#joined;
    this.#joined = undefined;
    this.#tell(joined);
  }

  #tell(message: Buffer): void {
    this.#ws.emit('message', message, this.#options.kind === 'binary');
  }
}

/** Whether a header that begins so may be that of a frame of a message, or of a ping or a pong. */
function isFamiliar(first: number, second: number): boolean {
  const opcode = first & ~FINAL;
  return (opcode <= BINARY || opcode === PING || opcode === PONG) && second >= MASKED;
}
