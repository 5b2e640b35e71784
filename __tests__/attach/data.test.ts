import fc from 'fast-check';
import { copyData } from '../../lib/attach/data.ts';

const roundTrip = (data: unknown) => JSON.parse(JSON.stringify(data));

/** What a value is in JSON, or that it is none. */
function outcome(make: (data: unknown) => unknown, data: unknown): unknown {
  try {
    return { copy: make(data) };
  } catch {
    return 'refused';
  }
}

describe('copyData', () => {
  it('gives what JSON would make of it, whatever it is', () => {
    const objects = { withDate: true, withMap: true, withSparseArray: true, withNullPrototype: true };
    fc.assert(
      fc.property(fc.anything({ ...objects, withBigInt: true, withBoxedValues: true }), (data) => {
        if (data !== undefined) expect(outcome(copyData, data)).toStrictEqual(outcome(roundTrip, data));
      }),
      { numRuns: 2_000 },
    );
  });

  class Named {
    readonly name = 'Anna';
  }

  it.each([
    ['-0', -0],
    ['what is not finite', [Number.NaN, Number.POSITIVE_INFINITY]],
    ['half of a surrogate pair', { text: '\ud800' }],
    ['undefined', { left: undefined, list: [undefined] }],
    ['functions', { call: () => {}, list: [() => {}] }],
    ['symbols', { [Symbol('s')]: 1, value: Symbol('v') }],
    ['toJSON of its own', { toJSON: () => 'its own' }],
    ['toJSON of a part', { at: new Date(0) }],
    ['toJSON of a list', Object.assign([1], { toJSON: () => 'a list' })],
    ['an instance', new Named()],
    ['a hole', Object.assign([1], { 2: 3 })],
    ['a hidden property', Object.defineProperty({ seen: 1 }, 'hidden', { value: 2 })],
    ['a property by a getter', Object.defineProperty({}, 'got', { get: () => 3, enumerable: true })],
    ['a property that is named __proto__', JSON.parse('{"__proto__":{"admin":true},"a":[{"__proto__":1}]}')],
    ['deep nesting', JSON.parse(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`)],
  ])('takes %s as JSON does', (_what, data) => {
    expect(copyData(data)).toStrictEqual(roundTrip(data));
  });

  it('is not reached by later changes, however deep', () => {
    const data = { list: [{ name: 'a' }], object: { inner: { n: 1 } } };
    const copy = copyData(data);
    data.list[0] = { name: 'b' };
    data.list.push({ name: 'c' });
    data.object.inner.n = 2;
    expect(copy).toStrictEqual({ list: [{ name: 'a' }], object: { inner: { n: 1 } } });
  });

  it.each([
    ['a text', (length: number) => 'x'.repeat(length - 2)],
    ['escapes', (length: number) => `${'\0'.repeat(10_000)}${'x'.repeat(length - 60_002)}`],
    ['a list', (length: number) => Array((length - 1) / 2).fill(1)],
    ['a name', (length: number) => ({ ['x'.repeat(length - 6)]: 1 })],
  ])('takes 65,535 characters of JSON, and no 65,537, in %s', (_what, make) => {
    expect(JSON.stringify(make(65_535))).toHaveLength(65_535);
    expect(copyData(make(65_535))).toStrictEqual(make(65_535));
    expect(() => copyData(make(65_537))).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });

  it('refuses what has no end', () => {
    const circle: { self?: unknown } = {};
    circle.self = [circle];
    expect(() => copyData(circle)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });

  it('refuses what throws when it is read', () => {
    const data = Object.defineProperty({}, 'a', {
      get: () => {
        throw new Error('not now');
      },
      enumerable: true,
    });
    expect(() => copyData(data)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });
});
