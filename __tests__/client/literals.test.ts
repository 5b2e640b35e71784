import { connect } from '../../lib/client/index.ts';
import { streamReader } from '../../lib/client/stream.ts';
import { EOM } from '../../lib/protocol/eom.ts';
import { CLIENT_HEADER, HEARTBEAT_MS, HUB_TOKEN, SUBPROTOCOL } from '../../lib/protocol/wire.ts';
import { afterwards } from '../support/server.ts';
import { setGlobal } from './stage.ts';

/** A WebSocket that is opened by hand. */
class Wire {
  static last: Wire;
  readonly readyState = 1;
  readonly said: unknown[] = [];
  onopen?: () => void;
  onmessage?: (message: { data: string }) => void;
  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    Wire.last = this;
  }
  get protocol() {
    return this.protocols[0] as string;
  }
  send(text: unknown) {
    this.said.push(text);
  }
  close() {}
}

// The client spells these out itself, as that is shorter; they are the protocol's all the same.
test('the client says what the protocol says', () => {
  jest.useFakeTimers();
  afterwards(() => jest.useRealTimers());
  // Where no mark can be computed, nothing waits for it.
  setGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const live = connect({ url: 'ws://localhost/websockify', WebSocket: Wire });
  afterwards(() => live.close());
  const wire = Wire.last;
  expect(new URL(wire.url).searchParams.get('token')).toBe(Buffer.from(HUB_TOKEN).toString('base64url'));
  expect(wire.protocols).toEqual([SUBPROTOCOL, 'binary']);
  expect(Object.keys(live.headers())).toEqual([CLIENT_HEADER]);
  wire.onopen?.();
  jest.advanceTimersByTime(HEARTBEAT_MS - 1);
  expect(wire.said).toEqual(['since -']);
  jest.advanceTimersByTime(1);
  expect(wire.said).toEqual(['since -', 'heartbeat']);
  expect(streamReader()(Buffer.from(`POST:/a${EOM}`) as never)).toEqual(['POST:/a', '@']);
});
