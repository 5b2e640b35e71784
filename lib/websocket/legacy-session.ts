import { eomFormat } from '../hub/eom-format.ts';
import type { Restart } from '../hub/sink.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import type { Entrance } from './destination.ts';
import { base64Format } from './formats.ts';
import { HubSession, type SessionContext } from './hub-session.ts';

/** One WebSocket that speaks as WoK's clients do: `base64`, `binary`, or no subprotocol, which is binary. */
export class LegacySession extends HubSession {
  readonly #binary: boolean;

  constructor(entrance: Entrance, { hub }: SessionContext, audience: readonly string[]) {
    super(entrance);
    this.#binary = entrance.protocol !== 'base64';
    this.subscriber = hub.add(this.#binary ? eomFormat : base64Format, { audience }, this);
  }

  write(frame: Buffer): void {
    this.ws.send(frame, { binary: this.#binary });
  }

  hear(): void {}

  beat(): void {}

  bye(): void {}

  /** This wire has no word for a hole in the stream; a new connection is the one way to say it. */
  restart({ answer }: Restart): void {
    if (answer !== 'live') this.ws.close(CloseCode.tooSlow, 'entries were missed: connect again');
  }
}
