import { CloseCode } from '../../lib/index.ts';
import { connectTo } from '../client/stage.ts';
import { runAttached } from '../support/attached.ts';
import { until } from '../support/server.ts';
import { openWire, refusal, subscribe, topicsOf } from '../support/subscriber.ts';

const forwarded = (address: string) => ({ headers: { 'x-forwarded-for': address } });

describe('connections', () => {
  test('are limited in all, and there is room again when one ends', async () => {
    const errors: string[] = [];
    const { port, url } = await runAttached({
      maxConnections: 2,
      onError: ({ code, message }, { stage }) => errors.push(`${stage} ${code} ${message}`),
    });
    const [first] = [await subscribe(port), await openWire(port, ['base64'])];
    for (let i = 0; i < 3; i++)
      expect(await refusal(url, ['reqcast.v1'])).toEqual({
        status: 503,
        body: expect.stringMatching(/^TOO_MANY_CONNECTIONS: /),
      });
    expect(errors).toEqual([expect.stringMatching(/^websocket OVERLOADED .*maxConnections/)]);
    first.ws.close();
    await first.closed;
    await until(() => subscribe(port).catch(() => undefined));
  });

  test('are limited for each address', async () => {
    const { port, url } = await runAttached({ maxConnectionsPerAddress: 1, trustProxy: true });
    const first = await subscribe(port, ['*:/**'], '-', forwarded('192.0.2.1'));
    await subscribe(port, ['*:/**'], '-', forwarded('192.0.2.2'));
    const again = () => refusal(url, ['reqcast.v1'], forwarded('192.0.2.1').headers);
    expect(await again()).toMatchObject({ status: 429 });
    expect(await again()).toMatchObject({ status: 429 });
    first.ws.terminate();
    await until(() => subscribe(port, [], '-', forwarded('192.0.2.1')).catch(() => undefined));
  });

  test('of a reverse proxy on this machine, which speaks for many, are not counted as one address’s', async () => {
    const { port } = await runAttached({ maxConnectionsPerAddress: 1 });
    await subscribe(port);
    await subscribe(port);
  });

  test('that are refused leave no count behind', async () => {
    const { port, url } = await runAttached({
      maxConnections: 1,
      authorize: ({ headers }) => headers.cookie === 'sid=1',
    });
    for (let i = 0; i < 3; i++) expect(await refusal(url, ['reqcast.v1'])).toMatchObject({ status: 401 });
    await until(() => subscribe(port, [], '-', { headers: { cookie: 'sid=1' } }).catch(() => undefined));
  });
});

describe('a client that says too much', () => {
  test('is closed with 1013, and what it goes on saying is nothing', async () => {
    const { live, port } = await runAttached({ maxMessagesPerSecond: 1 });
    const wire = await subscribe(port, []);
    for (let i = 0; i < 30; i++) wire.ws.send(i > 20 ? '+*:/**' : 'heartbeat');
    expect(await wire.closed).toEqual({ code: CloseCode.tryLater, reason: 'too many messages' });
    live.notify('POST:/a');
    expect(topicsOf(wire)).toEqual([]);
  });

  test('comes back with all of its patterns, if it is a page whose listeners come and go', async () => {
    const { live, url } = await runAttached({ maxMessagesPerSecond: 1 });
    const page = connectTo(url);
    await until(() => page.state === 'live');
    const calls: unknown[] = [];
    page.on('POST:/rows', ({ data, replay }) => calls.push(replay ?? data));
    const lost = new Promise((resolve) => page.on('state', resolve));
    for (let i = 0; i < 30; i++) {
      page.on(`POST:/rows/${i}`, () => {});
      await null;
    }
    live.notify('POST:/rows', 1);
    expect(await lost).toBe('waiting');
    live.notify('POST:/rows', 2);
    await until(() => page.state === 'live');
    live.notify('POST:/rows', 3);
    await until(() => calls.includes(3));
    expect(calls.filter((call) => call !== 'resync')).toEqual([1, 2, 3]);
  });

  test('is closed on the wires that listen to nothing, too', async () => {
    const { port } = await runAttached({ maxMessagesPerSecond: 1 });
    const wire = await openWire(port, ['base64']);
    for (let i = 0; i < 30; i++) wire.ws.send('aGVhcnRiZWF0');
    expect(await wire.closed).toMatchObject({ code: CloseCode.tryLater });
  });

  test('may say ten seconds’ worth at once', async () => {
    const { live, port } = await runAttached({ maxMessagesPerSecond: 1 });
    const wire = await subscribe(port, ['POST:/a']);
    for (let i = 0; i < 8; i++) wire.ws.send(`+POST:/${i}`);
    wire.ws.send('+POST:/last');
    await until(() => {
      live.notify('POST:/last');
      return topicsOf(wire).length > 0;
    });
    expect(wire.ws.readyState).toBe(wire.ws.OPEN);
  });
});
