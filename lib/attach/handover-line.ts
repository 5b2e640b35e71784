import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { OpenTunnel } from '../proxy/open-tunnel.ts';
import type { Line, LineKeeper } from '../websocket/destination.ts';

/**
 * A WebSocket that somebody else speaks, as far as the endpoint has to do with it: it can be ended, and is over when
 * its socket is. What is said on it, and whether it is alive, is the other's business.
 */
export class HandoverLine extends EventEmitter implements Line {
  visit: LineKeeper | undefined;
  readonly OPEN = 1;
  readonly isPaused = true;
  readonly #socket: Socket;
  readonly #tunnel: OpenTunnel;

  constructor(socket: Socket, tunnel: OpenTunnel) {
    super();
    this.#socket = socket;
    this.#tunnel = tunnel;
    socket.once('close', () => {
      this.visit?.closed();
      this.emit('close');
    });
  }

  get readyState() {
    return this.#socket.destroyed ? 3 : 1;
  }

  ping(): void {}

  close(): void {
    this.#tunnel.close();
  }

  terminate(): void {
    this.#tunnel.destroy();
  }
}
