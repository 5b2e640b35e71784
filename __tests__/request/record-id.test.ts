import { recordId } from '../../lib/request/record-id.ts';

test('ids are 22 characters of base64url, and each another', () => {
  const ids = Array.from({ length: 10_000 }, recordId);
  for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
  expect(new Set(ids).size).toBe(ids.length);
});
