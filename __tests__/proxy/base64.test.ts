import { decodeBase64 } from '../../lib/proxy/base64.ts';

const bytes = Buffer.from([0xfb, 0xff, 0xfe, 0x01]);

describe('base64', () => {
  test.each(['+//+AQ==', '+//+AQ', '-__-AQ', '-__-AQ==', ' +//\r\n+A\tQ= =\n'])('is read from %j', (text) => {
    expect(decodeBase64(text)).toEqual(bytes);
  });

  test.each(['', ' \n'])('is nothing in %j', (text) => {
    expect(decodeBase64(text)).toEqual(Buffer.alloc(0));
  });

  test.each(['A', 'AAAAA', 'AA=', 'A==', '=', 'AAA==', 'AA==AA==', 'AA=A', 'AA*A', 'ä', 'AAAA====', 'AA.A'])(
    'is not read from %j',
    (text) => expect(decodeBase64(text)).toBeUndefined(),
  );

  test('is read from 16 MB of text', () => {
    expect(decodeBase64('A'.repeat(16 * 1024 * 1024))).toHaveLength(12 * 1024 * 1024);
  });
});
