import type { IncomingMessage } from 'node:http';
import {
  addressOf,
  describeTarget,
  findTarget,
  type Target,
  type TargetTable,
} from '../../lib/proxy/target.ts';

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

  test('is another server that speaks HTTP, by URL or UNIX socket', async () => {
    const socket = { socketPath: '/run/plugin', path: '/ws?x' };
    expect(await find({ vm: { http: 'http://[::1]:6080/ws?x' } }, 'vm')).toEqual({
      http: 'http://[::1]:6080/ws?x',
    });
    expect(await find({ vm: { http: { ...socket, more: 1 } } }, 'vm')).toEqual({ http: socket });
    expect(addressOf({ http: 'http://[::1]:6080/ws' })).toEqual({ host: '::1', port: 6080 });
    expect(addressOf({ http: 'http://here/' })).toEqual({ host: 'here', port: 80 });
    expect(addressOf({ http: socket })).toEqual({ socketPath: '/run/plugin' });
  });

  test('is told in words, without what may be a secret', () => {
    const described = [
      { socketPath: '/run/vm' },
      { host: 'h', port: 1 },
      { host: '::1', port: 1 },
      { http: 'http://h/ws?key=7' },
      { http: { socketPath: '/run/plugin', path: '/ws?key=7' } },
    ].map(describeTarget);
    expect(described).toEqual(['/run/vm', 'h:1', '[::1]:1', 'http://h/ws', 'http+unix:/run/plugin/ws']);
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
    { http: 7 },
    { http: 'here:80' },
    { http: 'https://here/' },
    { http: 'http://ada:secret@here/' },
    { http: {} },
    { http: { socketPath: '' } },
    { http: { socketPath: '/x', path: 'ws' } },
    { http: 'http://here/', socketPath: '/x' },
    { http: 'http://here/', port: 80 },
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
