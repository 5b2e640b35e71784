import { WebSocket } from 'ws';
import { connect } from '../../lib/client/index.ts';
import type { ConnectOptions, Live } from '../../lib/client/live.ts';
import { afterwards } from '../support/server.ts';

/** Retries are at once, and the class is that of `ws`; closed after the test. */
export function connectTo(url: string, options: ConnectOptions = {}): Live {
  const live = connect({ url, WebSocket, reconnect: { minMs: 1, maxMs: 1 }, ...options });
  afterwards(() => live.close());
  return live;
}

/** Puts a value in the place of a global until the test is over. */
export function setGlobal(name: string, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  afterwards(() => {
    if (before) Object.defineProperty(globalThis, name, before);
    else Reflect.deleteProperty(globalThis, name);
  });
}

/** A WebSocket that does what the test says. */
export class FakeSocket {
  static made: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.made.at(-1) as FakeSocket;
  }

  readyState = 0;
  protocol = 'reqcast.v1';
  binaryType = '';
  readonly sent: unknown[] = [];
  onopen?: () => void;
  onmessage?: ((message: { data: unknown }) => void) | null;
  onclose?: ((closed: { code: number; reason: string }) => void) | null;
  onerror?: (error: object) => void;

  constructor(
    readonly url: string,
    readonly offered: string[],
  ) {
    FakeSocket.made.push(this);
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 3;
  }

  open(protocol = 'reqcast.v1'): void {
    this.readyState = 1;
    this.protocol = protocol;
    this.onopen?.();
  }

  say(data: unknown): void {
    this.onmessage?.({ data });
  }

  fail(code = 1006, reason = ''): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

/** Connects through a FakeSocket, in an insecure context unless told otherwise: no mark is computed, so nothing waits for it. */
export function connectFake(options: ConnectOptions = {}, subtle?: SubtleCrypto): Live {
  setGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto), subtle });
  FakeSocket.made = [];
  const live = connect({ url: 'ws://host/websockify', WebSocket: FakeSocket, ...options });
  afterwards(() => live.close());
  return live;
}

/** A visible page at this URL, as far as the client sees one. */
export function openPage(href = 'https://app.example/ui/#users') {
  const target = new EventTarget();
  const location = { href };
  const document = { hidden: false };
  const navigator = { onLine: true };
  for (const [name, value] of Object.entries({ location, document, navigator })) setGlobal(name, value);
  const listen = jest.fn(target.addEventListener.bind(target));
  setGlobal('addEventListener', listen);
  return {
    location,
    document,
    navigator,
    listen,
    dispatch: (name: string) => target.dispatchEvent(new Event(name)),
  };
}
