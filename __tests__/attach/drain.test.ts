import { CloseCode } from '../../lib/index.ts';
import { runAttached } from '../support/attached.ts';
import { send } from '../support/server.ts';
import { openWire, subscribe, type Wire } from '../support/subscriber.ts';

const byeOf = (wire: Wire) => Number(/\nbye (\d+)\n$/.exec(wire.text())?.[1]);

test('drain tells each client a time of its own to come back, and closes', async () => {
  const { live, port, server } = await runAttached();
  const wires = await Promise.all(Array.from({ length: 20 }, () => subscribe(port)));
  await live.drain({ overMs: 20_000 });
  for (const wire of wires) expect(await wire.closed).toMatchObject({ code: CloseCode.goingAway });
  const byes = wires.map(byeOf).sort((a, b) => a - b);
  // One for each twentieth of the time.
  expect(byes.map((ms) => Math.floor(ms / 1000))).toEqual(wires.map((_, i) => i));
  expect(server.listenerCount('upgrade')).toBe(0);
});

test('while it drains upgrades are refused with 503 and Retry-After, and requests go on, into the log too', async () => {
  const { live, port } = await runAttached({ closeTimeoutMs: 60_000 });
  const stubborn = await openWire(port, ['base64']);
  stubborn.ws.pause();
  const drained = live.drain({ overMs: 4_500 });
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    'Sec-WebSocket-Protocol': 'reqcast.v1',
  };
  const refused = await send(port, 'GET', '/websockify', { headers: upgrade });
  expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  expect(refused.body).toMatch(/^CLOSING: /);
  expect((await send(port, 'POST', '/late')).status).toBe(200);
  stubborn.ws.resume();
  await drained;
  const logged = [];
  for await (const { request } of live.journal.query()) logged.push(request?.url);
  expect(logged).toEqual(['/late']);
});

test('drain after drain is one, and what is no time is refused', async () => {
  const { live } = await runAttached();
  for (const overMs of [-1, Number.NaN, '9' as unknown as number])
    expect(() => live.drain({ overMs })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  expect(live.drain()).toBe(live.drain());
  await live.close();
});
