import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Hub } from '../hub/hub.ts';
import type { Restart, Sink } from '../hub/sink.ts';
import type { Subscriber } from '../hub/subscriber.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import type { Entrance, Guest } from './destination.ts';

/** What sessions on the hub share: one object for all of them. */
export interface SessionContext {
  readonly hub: Hub;
  readonly maxPatterns: number;
  readonly handshakeTimeoutMs: number;
}

/**
 * A WebSocket on the hub, whatever its wire. There are many and they are idle, so it keeps no listener, timer or set
 * of its own while it is.
 */
export abstract class HubSession implements Guest, Sink<Buffer> {
  protected readonly ws: WebSocket;
  protected readonly socket: Duplex;
  protected subscriber: Subscriber<Buffer> | undefined;
  #awaitsDrain = false;

  constructor({ ws, socket }: Entrance) {
    this.ws = ws;
    this.socket = socket;
  }

  /** True while what was written last has left for the kernel: only then may a sweep write more. */
  get writable(): boolean {
    if (this.ws.readyState !== this.ws.OPEN) return false;
    if (!this.socket.writableNeedDrain) return true;
    if (!this.#awaitsDrain) this.socket.once('drain', () => this.#drained());
    this.#awaitsDrain = true;
    return false;
  }

  #drained(): void {
    this.#awaitsDrain = false;
    this.subscriber?.wake();
  }

  abstract write(frame: Buffer): void;
  abstract restart(restart: Restart): void;
  abstract hear(data: RawData, isBinary: boolean): void;
  abstract beat(): void;
  abstract bye(afterMs: number): void;

  meet(audiences: readonly string[]): void {
    if (this.subscriber) this.subscriber.audience = audiences;
  }

  stuck(): void {
    this.ws.close(CloseCode.tooSlow, 'did not read for too long');
  }

  failed(): void {
    this.ws.close(CloseCode.serverError, 'a fault inside the server');
  }

  closed(): void {
    this.leave();
  }

  leave(): void {
    this.subscriber?.leave();
  }
}
