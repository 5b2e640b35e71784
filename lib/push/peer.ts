import type { Socket } from 'node:net';
import type { Restart, Sink } from '../hub/sink.ts';

/** One reader of the push server. */
export class PushPeer implements Sink<Buffer> {
  readonly #socket: Socket;

  /** @param wake called when the peer can take more; never before the constructor has returned */
  constructor(socket: Socket, wake: () => void) {
    this.#socket = socket;
    socket.on('drain', wake);
  }

  get writable(): boolean {
    return this.#socket.writable && !this.#socket.writableNeedDrain;
  }

  write(frame: Buffer): void {
    this.#socket.write(frame);
  }

  /** This stream has no word for a hole in it; that it ends is the one way to say it. */
  restart({ answer }: Restart): void {
    if (answer !== 'live') this.#socket.destroy();
  }

  stuck(): void {
    this.#socket.destroy();
  }

  failed(): void {
    this.#socket.destroy();
  }
}
