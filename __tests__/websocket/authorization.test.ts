import net from 'node:net';
import { type Authorization, CloseCode } from '../../lib/index.ts';
import { runAttached } from '../support/attached.ts';
import { afterwards, listen, until } from '../support/server.ts';
import { openWire, refusal, subscribe, topicsOf } from '../support/subscriber.ts';

const as = (user: string) => ({ headers: { cookie: `user=${user}` } });
const userOf = ({ headers }: { headers: { cookie?: string } }) => headers.cookie?.slice('user='.length) ?? '';

/** Settled by the test: what `authorize` gives from then on. */
function door(rights: Record<string, Authorization>) {
  return { rights, authorize: (request: Parameters<typeof userOf>[0]) => rights[userOf(request)] ?? false };
}

describe('disconnect', () => {
  test('closes whom the predicate names with 4401, on each wire, and nobody else', async () => {
    const { live, port } = await runAttached({ authorize: door({ ada: ['staff'], bob: true }).authorize });
    const ada = [
      await subscribe(port, ['*:/**'], '-', as('ada')),
      await openWire(port, ['base64'], as('ada')),
    ];
    const bob = await subscribe(port, ['*:/**'], '-', as('bob'));
    const seen: unknown[] = [];
    const count = live.disconnect(({ request, audiences }) => {
      seen.push([userOf(request), audiences]);
      return userOf(request) === 'ada';
    });
    expect(count).toBe(2);
    expect(seen).toEqual([
      ['ada', ['staff']],
      ['ada', ['staff']],
      ['bob', []],
    ]);
    live.notify('POST:/a');
    for (const wire of ada) {
      expect(await wire.closed).toMatchObject({ code: CloseCode.unauthorized });
      expect(wire.text()).not.toContain('POST:/a');
    }
    await until(() => topicsOf(bob).length > 0);
    expect(live.disconnect(({ request }) => userOf(request) === 'ada')).toBe(0);
  });

  test('closes one that does not close itself', async () => {
    const { live, port } = await runAttached({ closeTimeoutMs: 20 });
    const socket = net.connect(port, '127.0.0.1');
    afterwards(() => socket.destroy());
    socket.write(
      'GET /websockify HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Protocol: reqcast.v1\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
    );
    await new Promise((resolve) => socket.once('data', resolve));
    socket.resume();
    expect(live.disconnect(() => true)).toBe(1);
    await new Promise((resolve) => socket.once('end', resolve));
  });

  test('closes one that is just being authorized', async () => {
    let decide: ((answer: Authorization) => void) | undefined;
    const { live, port } = await runAttached({
      authorize: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    const refused = refusal(`ws://127.0.0.1:${port}/websockify`, ['reqcast.v1'], as('ada').headers);
    const answer = await until(() => decide);
    expect(live.disconnect(({ request }) => userOf(request) === 'ada')).toBe(0);
    answer(['staff']);
    expect(await refused).toMatchObject({ status: 401 });
  });

  test('keeps out one that is named while it is being authorized, answered at once', async () => {
    const attached = await runAttached({
      authorize: () => {
        expect(attached.live.disconnect(() => true)).toBe(0);
        return true;
      },
    });
    const url = `ws://127.0.0.1:${attached.port}/websockify`;
    expect(await refusal(url, ['reqcast.v1'])).toMatchObject({ status: 401 });
  });

  test('closes tunnels, and nothing that the client still says arrives', async () => {
    let heard = '';
    const target = net.createServer((socket) => {
      socket.on('data', (chunk) => {
        heard += chunk;
      });
      socket.on('error', () => {});
      socket.write('hello');
    });
    const { live, port } = await runAttached({
      authorize: door({ ada: true }).authorize,
      proxy: { targets: { vm: { host: '127.0.0.1', port: await listen(target) } } },
    });
    const token = Buffer.from('vm').toString('base64url');
    const tunnel = await openWire(port, ['binary'], { ...as('ada'), token });
    await until(() => tunnel.messages.length > 0);
    expect(live.disconnect(({ request }) => userOf(request) === 'ada')).toBe(1);
    tunnel.ws.send('too late');
    expect(await tunnel.closed).toMatchObject({ code: CloseCode.unauthorized });
    await until(
      async () => (await new Promise((resolve) => target.getConnections((_, n) => resolve(n)))) === 0,
    );
    expect(heard).toBe('');
  });

  test('lets a predicate’s fault reach its caller and closes nobody', async () => {
    const { live, port } = await runAttached();
    const wire = await subscribe(port);
    const disconnect = () =>
      live.disconnect(() => {
        throw new Error('on purpose');
      });
    expect(disconnect).toThrow('on purpose');
    expect(wire.ws.readyState).toBe(wire.ws.OPEN);
  });
});

describe('authorizing again', () => {
  test('closes one whose rights have gone, and leaves the others', async () => {
    const { rights, authorize } = door({ ada: true, bob: true });
    const { live, port } = await runAttached({ authorize, reauthorizeMs: 5 });
    const [ada, bob] = [
      await subscribe(port, ['*:/**'], '-', as('ada')),
      await subscribe(port, ['*:/**'], '-', as('bob')),
    ];
    rights.ada = false;
    expect(await ada.closed).toMatchObject({ code: CloseCode.unauthorized });
    live.notify('POST:/a');
    await until(() => topicsOf(bob).length > 0);
  });

  test('shows from then on what the new audiences may see', async () => {
    const { rights, authorize } = door({ ada: ['staff'] });
    const { live, port } = await runAttached({ authorize, reauthorizeMs: 5 });
    const wires = [
      await subscribe(port, ['*:/**'], '-', as('ada')),
      await openWire(port, ['binary'], as('ada')),
    ];
    rights.ada = ['guests'];
    await until(() => {
      live.notify('POST:/guests', undefined, { audience: ['guests'] });
      return wires.every((wire) => wire.text().includes('POST:/guests'));
    });
    live.notify('POST:/staff', undefined, { audience: ['staff'] });
    live.notify('POST:/end');
    await until(() => wires.every((wire) => wire.text().includes('POST:/end')));
    for (const wire of wires) expect(wire.text()).not.toContain('POST:/staff');
  });

  test.each<[string, () => Promise<Authorization>]>([
    ['fails', () => Promise.reject(new Error('on purpose'))],
    ['does not come to an end', () => new Promise(() => {})],
  ])('closes one when it %s', async (_name, later) => {
    let asked = 0;
    const { port } = await runAttached({
      authorize: () => (asked++ === 0 ? true : later()),
      reauthorizeMs: 5,
      handshakeTimeoutMs: 50,
    });
    // May be closed before a first line has come.
    const wire = await openWire(port, ['reqcast.v1']);
    wire.ws.send('since -');
    expect(await wire.closed).toMatchObject({ code: CloseCode.unauthorized });
  });

  test('asks with the request as it came, not with what was left on it', async () => {
    const left: unknown[] = [];
    const { port } = await runAttached({
      authorize: (request) => {
        const visitor = request as { session?: string };
        left.push(visitor.session);
        visitor.session = 'remembered';
        return true;
      },
      reauthorizeMs: 5,
    });
    await subscribe(port);
    await until(() => left.length > 2);
    expect(new Set(left)).toEqual(new Set([undefined]));
  });
});

test.each([['staff'], [{ name: 'ada' }], [[7]]])(
  'authorize that gives %p is reported, and lets nobody in',
  async (given) => {
    const faults: string[] = [];
    const { port } = await runAttached({
      authorize: () => given as unknown as Authorization,
      onError: ({ code, message }) => faults.push(`${code} ${message}`),
    });
    const { status } = await refusal(`ws://127.0.0.1:${port}/websockify`, ['reqcast.v1']);
    expect(status).toBe(500);
    expect(faults).toEqual([
      expect.stringMatching(/^CALLBACK_FAILED Option authorize gave .* list of strings/),
    ]);
  },
);
