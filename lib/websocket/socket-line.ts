import { type RawData, WebSocket } from 'ws';
import type { Line, LineKeeper } from './destination.ts';

/** Who does not read its pongs gets no more of them. */
const MAX_UNREAD_BYTES = 16_384;

/**
 * A WebSocket that tells its visit what happens, where listeners would be told. There are thousands and they are idle,
 * and listeners are a good part of what one takes then.
 */
export class SocketLine extends WebSocket implements Line {
  visit: LineKeeper | undefined;

  // biome-ignore lint/suspicious/noExplicitAny: as EventEmitter has it
  override emit(name: string | symbol, ...args: any[]): boolean {
    if (name === 'message') this.visit?.heard(args[0] as RawData, args[1] as boolean);
    else if (name === 'pong') this.visit?.alive();
    else if (name === 'ping') this.#answer(args[0] as Buffer);
    else if (name === 'close') this.visit?.closed();
    else if (name === 'error') this.visit?.failed(args[0] as Error);
    // An `error` that nobody listens for would be thrown.
    return this.listenerCount(name) > 0 && super.emit(name, ...args);
  }

  /** What `autoPong` does, for which `ws` makes a function for each. */
  #answer(data: Buffer): void {
    if (this.readyState === this.OPEN && this.bufferedAmount < MAX_UNREAD_BYTES) this.pong(data);
  }
}
