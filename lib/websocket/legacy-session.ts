import { eomFormat } from '../hub/eom-format.ts';
import type { Restart, Sink } from '../hub/sink.ts';
import type { Subscriber } from '../hub/subscriber.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import type { Entrance, Guest } from './destination.ts';
import { base64Format } from './formats.ts';
import { isWritable, type SessionContext } from './session-context.ts';

/** One WebSocket that speaks as WoK's clients do: `base64`, `binary`, or no subprotocol, which is binary. */
export class LegacySession implements Guest, Sink<Buffer> {
  readonly #entrance: Entrance;
  readonly #subscriber: Subscriber<Buffer>;

  constructor(entrance: Entrance, context: SessionContext) {
    this.#entrance = entrance;
    const format = entrance.protocol === 'base64' ? base64Format : eomFormat;
    this.#subscriber = context.hub.add(format, { audience: context.audiences }, this);
    entrance.ws.on('close', () => this.#subscriber.leave());
    entrance.socket.on('drain', () => this.#subscriber.wake());
  }

  get writable(): boolean {
    return isWritable(this.#entrance);
  }

  write(frame: Buffer): void {
    this.#entrance.ws.send(frame, { binary: this.#entrance.protocol !== 'base64' });
  }

  beat(): void {}

  bye(): void {}

  meet(audiences: readonly string[]): void {
    this.#subscriber.audience = audiences;
  }

  leave(): void {
    this.#subscriber.leave();
  }

  stuck(): void {
    this.#entrance.ws.close(CloseCode.tooSlow, 'did not read for too long');
  }

  failed(): void {
    this.#entrance.ws.close(CloseCode.serverError, 'a fault inside the server');
  }

  /** This wire has no word for a hole in the stream; a new connection is the one way to say it. */
  restart({ answer }: Restart): void {
    if (answer !== 'live') this.#entrance.ws.close(CloseCode.tooSlow, 'entries were missed: connect again');
  }
}
