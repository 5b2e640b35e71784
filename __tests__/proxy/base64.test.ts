import { randomBytes } from 'node:crypto';
import { decodeBase64, encodeBase64, lettersOf } from '../../lib/proxy/base64.ts';

const bytes = Buffer.from([0xfb, 0xff, 0xfe, 0x01]);
const decode = (text: string) => decodeBase64(Buffer.from(text, 'latin1'));

describe('base64', () => {
  test.each(['+//+AQ==', '+//+AQ', '-__-AQ', '-__-AQ==', ' +//\r\n+A\tQ= =\n'])('is read from %j', (text) => {
    expect(decode(text)).toEqual(bytes);
  });

  test.each(['', ' \n'])('is nothing in %j', (text) => {
    expect(decode(text)).toEqual(Buffer.alloc(0));
  });

  test.each(['A', 'AAAAA', 'AA=', 'A==', '=', 'AAA==', 'AA==AA==', 'AA=A', 'AA*A', 'ä', 'AAAA====', 'AA.A'])(
    'is not read from %j',
    (text) => expect(decode(text)).toBeUndefined(),
  );

  test('is read from 16 MB of text', () => {
    expect(decode('A'.repeat(16 * 1024 * 1024))).toHaveLength(12 * 1024 * 1024);
  });

  test.each([0, 1, 2, 3, 12_287, 12_288, 12_289, 36_864, 36_865, 262_144])(
    'of %d bytes is what Node says, and is read, in one line or in many',
    (length) => {
      const some = randomBytes(length);
      const into = Buffer.alloc(lettersOf(length), '!');
      encodeBase64(some, into);
      const text = some.toString('base64');
      expect(into.toString()).toBe(text);
      expect(decode(text)).toEqual(some);
      expect(decode(text.replaceAll('=', ''))).toEqual(some);
      expect(decode(text.replace(/.{76}/g, '$&\r\n'))).toEqual(some);
    },
  );

  test.each([0, 10_000, 16_383, 16_384, 32_768, 40_000])('is not read with a strange letter at %d', (at) => {
    const text = 'A'.repeat(40_004);
    for (const strange of ['*', '=', '\0'])
      expect(decode(text.slice(0, at) + strange + text.slice(at + 1))).toBeUndefined();
  });
});
