import { router } from '../../lib/request/routes.ts';

describe('without routes', () => {
  const route = router();
  test.each([
    ['/ginger/users', 'POST:/ginger/users'],
    ['/ginger/users/?x=1', 'POST:/ginger/users'],
    ['/', 'POST:/'],
    ['/?a', 'POST:/'],
    ['http://host:80/ginger/users?x', 'POST:/ginger/users'],
    ['/my%20vm', 'POST:/my%20vm'],
  ])('%s is announced as %s', (url, topic) => {
    expect(route('POST', url)).toEqual({ topic });
  });
});

describe('with routes', () => {
  const route = router({
    '/plugins/:plugin/:entity/:id?/:action?': '/:plugin/:entity/:action',
    '/legacy/*': 'PUT:/old',
  });

  test.each([
    ['/plugins/kimchi/vms', { topic: 'POST:/kimchi/vms' }],
    ['/plugins/kimchi/vms/vm-7', { topic: 'POST:/kimchi/vms', data: { id: 'vm-7' } }],
    ['/plugins/kimchi/vms/a%20b/clone', { topic: 'POST:/kimchi/vms/clone', data: { id: 'a b' } }],
    ['/legacy/a/b', { topic: 'PUT:/old', data: { '*': 'a/b' } }],
    ['/other', { topic: 'POST:/other' }],
  ])('%s becomes %o', (url, expected) => {
    expect(route('POST', url)).toEqual(expected);
  });

  test('a template that names an unknown part is refused', () => {
    expect(() => router({ '/a/:b': '/:c' })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('":c"') }),
    );
  });
});
