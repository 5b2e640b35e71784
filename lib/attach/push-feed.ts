import { eomFormat } from '../hub/eom-format.ts';
import type { Hub } from '../hub/hub.ts';
import { PushPeer } from '../push/peer.ts';
import { type PushServer, pushServer } from '../push/push-server.ts';
import type { Fault } from './faults.ts';
import type { NormalizedOptions } from './normalize.ts';

/** The push server, if there is one: of the processes that share a journal one has its socket. */
export class PushFeed {
  readonly #server: PushServer | undefined;
  readonly #fault: Fault;
  /** As long as the journal says nothing else, this process is the only one. */
  #leads = true;
  #opened = false;
  #closed = false;

  constructor({ pushServer: given, closeTimeoutMs }: NormalizedOptions, hub: Hub, fault: Fault) {
    this.#fault = fault;
    if (!given) return;
    this.#server = pushServer({ ...(given === true ? {} : given), closeTimeoutMs }, (stream) => {
      const peer = new PushPeer(stream, () => subscriber.wake());
      const subscriber = hub.add(eomFormat, { audience: [] }, peer);
      stream.on('close', () => subscriber.leave());
    });
  }

  get socketPath(): string | undefined {
    return this.#server?.socketPath;
  }

  /** The journal is open. Resolves when peers can connect, here or to the process that leads. */
  async open(): Promise<void> {
    this.#opened = true;
    if (this.#leads) await this.#server?.open();
  }

  /** Who led ended or died: its socket is free. */
  leads(leads: boolean): void {
    this.#leads = leads;
    if (!leads || !this.#opened || this.#closed) return;
    this.#server?.open().catch((error: unknown) => this.#fault('push', error));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#server?.close();
  }
}
