import { createHmac } from 'node:crypto';
import { type Claims, IssuedTokens, isIssued } from '../../lib/proxy/issued-tokens.ts';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const code = (value: string) => expect.objectContaining({ name: 'ReqcastError', code: value });

afterEach(() => jest.restoreAllMocks());

/** Lets the clock stand at so many milliseconds from now. */
function later(ms: number): void {
  const now = Date.now();
  jest.spyOn(Date, 'now').mockReturnValue(now + ms);
}

describe('an issued token', () => {
  test('says its name, until when, and for whom, to those who share the secret', () => {
    const token = new IssuedTokens([A]).issue('vm/ü 42', { ttlMs: 5000, audience: ['ada'] });
    expect(isIssued(token)).toBe(true);
    expect(encodeURIComponent(token)).toBe(token);
    const claims = new IssuedTokens([A]).read(token);
    expect(claims).toEqual({ name: 'vm/ü 42', expires: expect.any(Number), audience: ['ada'] });
    expect(Math.abs(claims.expires - Date.now() - 5000)).toBeLessThan(1000);
  });

  test('is not believed by those who do not share the secret, nor by another attachment that made its own', () => {
    const token = new IssuedTokens([A]).issue('vm');
    expect(() => new IssuedTokens([B]).read(token)).toThrow(code('TOKEN_INVALID'));
    expect(() => new IssuedTokens().read(new IssuedTokens().issue('vm'))).toThrow(code('TOKEN_INVALID'));
  });

  test('outlives the change of the secret as long as the old one is in the list', () => {
    const token = new IssuedTokens([A]).issue('vm');
    expect(new IssuedTokens([B, A]).read(token).name).toBe('vm');
    expect(() => new IssuedTokens([B]).read(token)).toThrow(code('TOKEN_INVALID'));
    expect(new IssuedTokens([B]).read(new IssuedTokens([B, A]).issue('vm')).name).toBe('vm');
  });

  test('expires', () => {
    const tokens = new IssuedTokens([A]);
    const token = tokens.issue('vm', { ttlMs: 1000 });
    later(1000);
    expect(() => tokens.read(token)).toThrow(code('TOKEN_EXPIRED'));
  });

  test('is refused when any character of it is changed', () => {
    const tokens = new IssuedTokens([A]);
    const token = tokens.issue('vm', { once: true });
    for (let at = 4; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      if (token[at] === '.') continue;
      expect(() => tokens.read(changed)).toThrow(code('TOKEN_INVALID'));
    }
  });

  test('is not what the secret signed for another purpose', () => {
    const payload = Buffer.from('{"name":"vm","expires":9999999999999}').toString('base64url');
    const signature = createHmac('sha256', A).update(payload).digest('base64url');
    expect(() => new IssuedTokens([A]).read(`rq1.${payload}.${signature}`)).toThrow(code('TOKEN_INVALID'));
  });

  test('is used up by its first use, unless nothing came of that', () => {
    const tokens = new IssuedTokens([A]);
    const claims = tokens.read(tokens.issue('vm', { once: true }));
    const undo = tokens.use(claims);
    expect(() => tokens.use(claims)).toThrow(code('TOKEN_USED'));
    undo();
    tokens.use(claims);
    expect(() => tokens.use(claims)).toThrow(code('TOKEN_USED'));
    const many = tokens.read(tokens.issue('vm'));
    tokens.use(many);
    tokens.use(many);
  });

  test('cannot be used once when too many are remembered, until the old ones have expired', () => {
    const tokens = new IssuedTokens([A]);
    const claims = (id: number, ttlMs: number): Claims => ({
      name: 'vm',
      id: String(id),
      expires: Date.now() + ttlMs,
    });
    // On a busy machine a hundred thousand take longer than the second for which they are good.
    later(0);
    for (let id = 0; id < 100_000; id++) tokens.use(claims(id, 1000));
    expect(() => tokens.use(claims(-1, 9000))).toThrow(code('OVERLOADED'));
    expect(() => tokens.use(claims(7, 9000))).toThrow(code('TOKEN_USED'));
    later(1001);
    tokens.use(claims(-1, 9000));
    expect(() => tokens.use(claims(-1, 9000))).toThrow(code('TOKEN_USED'));
  });

  test.each([
    ['', {}],
    [7, {}],
    ['vm', { ttlMs: 0 }],
    ['vm', { ttlMs: 1.5 }],
    ['\ud83d', {}],
    ['vm', { audience: 'ada' }],
    ['vm', { audience: '' }],
    ['vm', { audience: null }],
    ['x'.repeat(1000), {}],
  ])('is not issued for %p %p', (name, options) => {
    expect(() => new IssuedTokens([A]).issue(name as string, options as object)).toThrow(
      code('INVALID_OPTION'),
    );
  });
});
