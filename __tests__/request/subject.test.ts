import { redactor } from '../../lib/request/redact.ts';
import { router } from '../../lib/request/routes.ts';
import { Subjects } from '../../lib/request/subject.ts';

const subjects = (routes?: Record<string, string>) => new Subjects(router(routes), redactor());

test('a request that comes again is about the very same', () => {
  const known = subjects();
  const first = known.of('POST', '/ginger/users');
  expect(first).toEqual({
    method: 'POST',
    url: '/ginger/users',
    topics: ['POST:/ginger/users'],
    valid: true,
    app: 'ginger',
    message: 'Create ginger users',
  });
  expect(known.of('POST', '/ginger/users')).toBe(first);
});

test('one URL with several methods is about several things', () => {
  const known = subjects();
  const topics = ['PUT', 'DELETE', 'PUT'].map((method) => known.of(method, '/a').topics[0]);
  expect(topics).toEqual(['PUT:/a', 'DELETE:/a', 'PUT:/a']);
});

test('a URL with a secret is not remembered', () => {
  const known = subjects();
  const first = known.of('POST', '/a?token=one');
  expect(first.url).toBe('/a?token=[redacted]');
  expect(known.of('POST', '/a?token=one')).not.toBe(first);
});

test('data is made anew each time, for its receiver may change it', () => {
  const known = subjects({ '/a/:id': '/a' });
  const first = known.of('POST', '/a/7');
  expect(first.data).toEqual({ id: '7' });
  expect(known.of('POST', '/a/7').data).not.toBe(first.data);
});

test('a thousand are remembered, and not more', () => {
  const known = subjects();
  const first = known.of('POST', '/0');
  for (let i = 1; i < 1000; i++) known.of('POST', `/${i}`);
  expect(known.of('POST', '/0')).toBe(first);
  known.of('POST', '/1000');
  expect(known.of('POST', '/0')).not.toBe(first);
});

test('long URLs are not', () => {
  const known = subjects();
  const url = `/a?${'x'.repeat(300)}`;
  expect(known.of('POST', url)).not.toBe(known.of('POST', url));
});
