import { redisJournal } from '../../lib/journal/redis/index.ts';
import { runAttached } from '../support/attached.ts';
import { ioredis, RedisServer, testWithRedis } from '../support/redis.ts';
import { send, until } from '../support/server.ts';
import { subscribe, topicsOf } from '../support/subscriber.ts';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

async function machine(redis: RedisServer) {
  const codes: string[] = [];
  const attached = await runAttached({
    journal: redisJournal({ client: ioredis(redis.port) }),
    onError: ({ code }) => codes.push(code),
  });
  return { ...attached, codes };
}

const lastPosition = (text: string) => /@(\S+)\n$/.exec(text)?.[1] as string;

testWithRedis(
  'a page hears what happens on any machine, and resumes on another one without a hole',
  async () => {
    const redis = await RedisServer.forTest();
    const [a, b] = [await machine(redis), await machine(redis)];
    const page = await subscribe(a.port);
    await send(b.port, 'POST', '/ginger/users');
    await until(() => topicsOf(page).length === 1);
    page.ws.terminate();
    await send(a.port, 'POST', '/ginger/groups');
    await send(b.port, 'DELETE', '/ginger/users');
    const again = await subscribe(b.port, ['*:/**'], lastPosition(page.text()));
    await until(() => topicsOf(again).length === 2);
    expect(again.text()).toMatch(/^@\S+ replayed\n/);
    expect([...topicsOf(page), ...topicsOf(again)].sort()).toEqual([
      'DELETE:/ginger/users',
      'POST:/ginger/groups',
      'POST:/ginger/users',
    ]);
  },
);

testWithRedis(
  'while Redis is away requests go on, clients stay connected, and hear it when it is back',
  async () => {
    const redis = await RedisServer.forTest(...DURABLE);
    const [a, b] = [await machine(redis), await machine(redis)];
    const page = await subscribe(b.port);
    await redis.kill();
    await until(() => a.codes.length > 0 && b.codes.length > 0);
    expect((await send(a.port, 'POST', '/ginger/users')).status).toBe(200);
    expect(a.live.stats().journal).toEqual({ waiting: 1, lost: 0, connected: false });
    const late = await subscribe(b.port);
    await redis.start();
    await until(() => [page, late].every((wire) => topicsOf(wire).length === 1));
    expect(topicsOf(page)).toEqual(['POST:/ginger/users']);
    expect(page.text()).not.toContain('resync');
    expect([...a.codes, ...b.codes]).toEqual(['JOURNAL_UNREACHABLE', 'JOURNAL_UNREACHABLE']);
  },
);

testWithRedis(
  'a server starts without Redis, and its clients are told to refresh when there is one',
  async () => {
    const redis = await RedisServer.forTest();
    await redis.kill();
    const { port, codes } = await machine(redis);
    expect(codes).toEqual(['JOURNAL_UNREACHABLE']);
    const page = await subscribe(port);
    expect((await send(port, 'POST', '/ginger/users')).status).toBe(200);
    await redis.start();
    await until(() => /@\S+ resync/.test(page.text()));
    const other = await machine(redis);
    const elsewhere = await subscribe(other.port, ['*:/**'], lastPosition(page.text()));
    await send(port, 'POST', '/ginger/groups');
    await until(() => [page, elsewhere].every((wire) => topicsOf(wire).includes('POST:/ginger/groups')));
  },
);
