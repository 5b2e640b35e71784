import type { IncomingMessage } from 'node:http';
import type { RequestRecord } from '../../lib/journal/entry.ts';
import { defaultMessage, defaultUser, sentence } from '../../lib/request/defaults.ts';

test.each([
  [{ user: 'root' }, 'root'],
  [{ user: { username: 'u', id: 7 } }, 'u'],
  [{ user: { id: 7 } }, '7'],
  [{ session: { user: { email: 'a@b' } } }, 'a@b'],
  [{ auth: { sub: 's' } }, 's'],
  [{ auth: { user: 'basic' } }, 'basic'],
  [{ user: {}, session: null }, undefined],
  [{}, undefined],
])('the user of %o is %s', (request, expected) => {
  expect(defaultUser(request as unknown as IncomingMessage)).toBe(expected);
});

test.each([
  [{ method: 'POST', topic: 'POST:/ginger/users', status: 201 }, 'Create ginger users'],
  [
    { method: 'DELETE', topic: 'DELETE:/ginger/users', status: 404 },
    'Delete ginger users: failed with status 404',
  ],
  [{ method: 'LOCK', url: '/dav?x=1', status: 200 }, 'LOCK dav'],
  [{ method: 'PATCH', url: '/', status: 200 }, 'Update /'],
  [{ method: 'PUT', topic: 'PUT:/a', status: 200, outcome: 'aborted' }, 'Update a: the client went away'],
])('the message of %o is %s', (record, expected) => {
  const whole = { outcome: 'completed', ...record } as RequestRecord;
  expect(defaultMessage(whole, sentence(whole.method, whole.topic ?? whole.url))).toBe(expected);
});
