import { REDACTED, redactor } from '../../lib/request/redact.ts';

const plain = redactor();

test.each([
  ['/a?password=x&b=1', `/a?password=${REDACTED}&b=1`],
  ['/a?b=1&access_token=x=y', `/a?b=1&access_token=${REDACTED}`],
  ['/a?PASSWD=x', `/a?PASSWD=${REDACTED}`],
  ['/a?p%61ssword=x', `/a?p%61ssword=${REDACTED}`],
  ['/a?password', '/a?password'],
  ['/a?%zz=1', '/a?%zz=1'],
  ['/password/token', '/password/token'],
])('the URL %s is logged as %s', (url, expected) => {
  expect(plain.url(url)).toBe(expected);
});

test('secrets are replaced at any depth, and the original is left alone', () => {
  const body = { user: 'a', Password: 'x', list: [{ client_secret: 'x', deep: { cookie: ['x'], n: 1 } }] };
  expect(plain.value(body)).toEqual({
    user: 'a',
    Password: REDACTED,
    list: [{ client_secret: REDACTED, deep: { cookie: REDACTED, n: 1 } }],
  });
  expect(body.Password).toBe('x');
});

test('more names are replaced when given', () => {
  const more = redactor(['pin', 'a.b']);
  expect(more.value({ PIN: 1, 'a.b': 2, axb: 3 })).toEqual({ PIN: REDACTED, 'a.b': REDACTED, axb: 3 });
  expect(more.url('/x?pin=1')).toBe(`/x?pin=${REDACTED}`);
});

test('what JSON does not know is told in words', () => {
  const circle: Record<string, unknown> = { at: new Date(0), big: 1n, bytes: Buffer.from('x') };
  circle.self = circle;
  const text = JSON.stringify(plain.value(circle));
  expect(text).toContain('1970-01-01');
  expect(text).toContain('"big":"1"');
  expect(text).toContain('[binary]');
  expect(text).toContain('[too deep]');
});
