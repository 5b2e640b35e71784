import type { IncomingMessage } from 'node:http';
import { assertOrigin } from '../../lib/websocket/origin.ts';
import { runAttached } from '../support/attached.ts';
import { refusal, subscribe } from '../support/subscriber.ts';

function isLetIn(headers: Record<string, string>, origins: string[] = [], trustProxy = false): boolean {
  try {
    assertOrigin({ headers } as unknown as IncomingMessage, { origins, trustProxy });
    return true;
  } catch {
    return false;
  }
}

describe('a page', () => {
  test.each([
    ['http://app.example', 'app.example'],
    ['https://app.example', 'app.example'],
    ['https://app.example', 'app.example:443'],
    ['http://app.example', 'APP.example:80'],
    ['http://localhost:5173', 'localhost:5173'],
    ['http://[::1]:3000', '[::1]:3000'],
  ])('of %s is let in at the host %s', (origin, host) => {
    expect(isLetIn({ origin, host })).toBe(true);
  });

  test.each([
    ['https://evil.example', 'app.example'],
    ['http://app.example:8080', 'app.example'],
    ['https://app.example.evil.example', 'app.example'],
    ['https://evil.example/app.example', 'app.example'],
    ['null', 'null'],
    ['', 'app.example'],
    ['chrome-extension://app', 'app'],
    ['https://app.example', ''],
    ['https://app.example', 'app.example@evil'],
    ['https://', '://'],
  ])('of %p is refused at the host %p', (origin, host) => {
    expect(isLetIn({ origin, host })).toBe(false);
  });

  test('of another host is let in if its origin is named, or all are', () => {
    const headers = { origin: 'https://ui.example', host: 'api.example' };
    expect(isLetIn(headers, ['https://ui.example'])).toBe(true);
    expect(isLetIn(headers, ['*'])).toBe(true);
    expect(isLetIn(headers, ['http://ui.example', 'https://ui.example:8443'])).toBe(false);
    expect(isLetIn({ ...headers, origin: 'null' }, ['null'])).toBe(true);
  });

  test('is of the forwarded host where a proxy is trusted, and only there', () => {
    const headers = {
      origin: 'https://app.example',
      host: '10.0.0.7:3000',
      'x-forwarded-host': 'app.example',
    };
    expect(isLetIn(headers, [], true)).toBe(true);
    expect(isLetIn(headers, [], false)).toBe(false);
  });
});

test('a program, which has no origin, is let in', () => {
  expect(isLetIn({ host: 'app.example' })).toBe(true);
});

test('pages of other sites get 403 before anybody is asked, pages of the same host get in', async () => {
  let asked = 0;
  const { port, url } = await runAttached({
    authorize: () => {
      asked++;
      return true;
    },
  });
  const refused = await refusal(url, ['reqcast.v1'], { origin: 'https://evil.example' });
  const body = `FORBIDDEN_ORIGIN: Pages of https://evil.example may not connect to 127.0.0.1:${port}: `;
  expect(refused).toEqual({ status: 403, body: expect.stringContaining(body) });
  expect(asked).toBe(0);
  await subscribe(port, ['*:/**'], '-', { headers: { origin: `http://127.0.0.1:${port}` } });
  expect(asked).toBe(1);
});
