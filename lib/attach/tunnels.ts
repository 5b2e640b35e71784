import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestRecord } from '../journal/entry.ts';
import type { OpenTunnel, TunnelEnd, TunnelReason } from '../proxy/open-tunnel.ts';
import { describeTarget, type Target } from '../proxy/target.ts';
import { addressOf, defaultUser, nameOf } from '../request/defaults.ts';
import type { Tunnel } from './attachment.ts';
import type { Fault } from './faults.ts';
import type { NormalizedOptions } from './normalize.ts';

/** How the log tells a tunnel's end. What is not here was a proper one. */
const FAILURES: Partial<Record<TunnelReason, Pick<RequestRecord, 'status' | 'outcome'>>> = {
  'client-failed': { status: 200, outcome: 'aborted' },
  'target-failed': { status: 502, outcome: 'failed' },
  'invalid-payload': { status: 400, outcome: 'failed' },
};

/** Whose tunnel it is, and where it leads. */
interface Opening {
  readonly name: string;
  readonly target: Target;
  readonly request: IncomingMessage;
}

/** The open tunnels, and their lines in the log. */
export class Tunnels {
  readonly #options: NormalizedOptions;
  readonly #log: (record: RequestRecord) => void;
  readonly #fault: Fault;
  readonly #open = new Map<OpenTunnel, Tunnel>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(options: NormalizedOptions, log: (record: RequestRecord) => void, fault: Fault) {
    this.#options = options;
    this.#log = log;
    this.#fault = fault;
  }

  add(tunnel: OpenTunnel, opening: Opening): void {
    const about = this.#describe(tunnel, opening);
    this.#open.set(tunnel, about);
    const record = this.#logOpening(about);
    const ended = tunnel.ended
      .then((end) => this.#ended(tunnel, about, record, end))
      .catch((fault: unknown) => this.#fault('proxy', fault))
      .finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
    if (this.#closed) tunnel.close();
  }

  list(): Tunnel[] {
    return [...this.#open.values()];
  }

  /** Ends all; those that have not ended after a while are cut off. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const tunnel of this.#open.keys()) tunnel.close();
    const cutOff = () => {
      for (const tunnel of this.#open.keys()) tunnel.destroy();
    };
    const timer = setTimeout(cutOff, this.#options.closeTimeoutMs).unref();
    await Promise.all(this.#ending);
    clearTimeout(timer);
  }

  #describe(tunnel: OpenTunnel, { name, target, request }: Opening): Tunnel {
    const user = this.#userOf(request);
    const address = addressOf(request, this.#options.trustProxy ?? false);
    return {
      id: randomUUID(),
      name,
      target: describeTarget(target),
      ...(user !== undefined && { user }),
      ...(address !== undefined && { address }),
      openedAt: Date.now(),
      get bytesIn() {
        return tunnel.bytesIn;
      },
      get bytesOut() {
        return tunnel.bytesOut;
      },
      close: () => tunnel.close(),
    };
  }

  #userOf(request: IncomingMessage): string | undefined {
    const { user = defaultUser } = this.#options.proxy ?? {};
    try {
      return nameOf(user(request));
    } catch (fault) {
      this.#fault('proxy', fault);
      return undefined;
    }
  }

  #logOpening(about: Tunnel): RequestRecord | undefined {
    if (!this.#options.proxy?.log) return undefined;
    const { id, name, target, user, address } = about;
    const record: RequestRecord = {
      id,
      method: 'OPEN',
      // The name, not the token: it may be a secret.
      url: `${this.#options.path}/${encodeURIComponent(name)}`,
      status: 101,
      outcome: 'completed',
      durationMs: 0,
      ...(user !== undefined && { user }),
      ...(address !== undefined && { address }),
      message: `Open tunnel to ${name}`,
      tunnel: { name, target },
    };
    this.#log(record);
    return record;
  }

  #ended(tunnel: OpenTunnel, about: Tunnel, opened: RequestRecord | undefined, end: TunnelEnd): void {
    this.#open.delete(tunnel);
    if (!opened) return;
    const { name, target, openedAt } = about;
    this.#log({
      ...opened,
      id: randomUUID(),
      method: 'CLOSE',
      status: 200,
      ...FAILURES[end.reason],
      durationMs: Date.now() - openedAt,
      message: `Close tunnel to ${name}: ${end.reason}`,
      task: opened.id,
      tunnel: { name, target, ...end },
    });
  }
}
