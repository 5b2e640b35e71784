import type { IncomingMessage } from 'node:http';
import { findTarget, type Target, type TargetTable } from '../../lib/proxy/target.ts';

const request = {} as IncomingMessage;
const find = (targets: unknown, name: string) => findTarget(targets as TargetTable, name, request);
const vm: Target = { socketPath: '/run/vm.sock' };
const code = (value: string) => expect.objectContaining({ name: 'ReqcastError', code: value });

describe('a target', () => {
  test('is found in a record, a Map, a function and an async function', async () => {
    for (const targets of [
      { vm },
      new Map([['vm', vm]]),
      (name: string) => (name === 'vm' ? vm : undefined),
      async (name: string) => (name === 'vm' ? vm : undefined),
    ] as TargetTable[]) {
      expect(await find(targets, 'vm')).toEqual(vm);
      expect(await find(targets, 'other')).toBeUndefined();
    }
  });

  test('is looked up for the request at hand', async () => {
    const asked: unknown[] = [];
    await find((...given: unknown[]) => void asked.push(given), 'vm');
    expect(asked).toEqual([['vm', request]]);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'is not "%s" of a record',
    async (name) => {
      expect(await find({ vm }, name)).toBeUndefined();
      expect(await find(Object.create({ [name]: vm }), name)).toBeUndefined();
    },
  );

  test('may be added to a Map that is in use', async () => {
    const targets = new Map<string, Target>();
    expect(await find(targets, 'vm')).toBeUndefined();
    targets.set('vm', vm);
    expect(await find(targets, 'vm')).toEqual(vm);
  });

  test('keeps nothing but its address', async () => {
    const target = { host: '127.0.0.1', port: 5900, lookup: () => {}, localAddress: '10.0.0.1' };
    expect(await find({ vm: target }, 'vm')).toEqual({ host: '127.0.0.1', port: 5900 });
  });

  test.each([
    'a string',
    42,
    true,
    {},
    { socketPath: '' },
    { socketPath: 7 },
    { socketPath: '\0abstract' },
    { socketPath: `/${'x'.repeat(107)}` },
    { socketPath: '/a', host: 'h', port: 1 },
    { host: 'h' },
    { port: 1 },
    { host: '', port: 1 },
    { host: 'a b', port: 1 },
    { host: 'h', port: 0 },
    { host: 'h', port: 65536 },
    { host: 'h', port: '80' },
    { host: 'h', port: 1.5 },
  ])('is refused when it is %j', async (target) => {
    await expect(find({ vm: target }, 'vm')).rejects.toEqual(code('TARGET_INVALID'));
    await expect(find(() => target, 'vm')).rejects.toEqual(code('TARGET_INVALID'));
  });

  test('cannot be told when the function throws, and the cause is kept', async () => {
    const cause = new Error('no database');
    const targets = () => {
      throw cause;
    };
    await expect(find(targets, 'vm')).rejects.toEqual(code('CALLBACK_FAILED'));
    await expect(find(targets, 'vm')).rejects.toMatchObject({ cause });
  });
});
