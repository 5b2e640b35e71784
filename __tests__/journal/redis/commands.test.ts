import { RedisServer, testWithRedis } from '../../support/redis.ts';
import { until } from '../../support/server.ts';
import { append } from '../nodes.ts';
import { startNode } from './stage.ts';

/** How often a command was called from outside a script. */
async function calls(server: RedisServer, command: string): Promise<number> {
  const told = String(await server.ask('info', 'commandstats'));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(told)?.[1] ?? 0);
}

testWithRedis('what comes together is one write, and looking whether all is there is none', async () => {
  const server = await RedisServer.forTest();
  const nodes = [await startNode(server.port), await startNode(server.port)] as const;
  await append(nodes[0], 'a', 1);
  await until(() => nodes.every(({ sink }) => sink.entries.length === 1));
  const [writes, looks] = [await calls(server, 'evalsha'), await calls(server, 'xrange')];
  await until(async () => (await calls(server, 'xrange')) >= looks + 4);
  expect(await calls(server, 'evalsha')).toBe(writes);
  await append(nodes[0], 'b', 100);
  expect(await calls(server, 'evalsha')).toBe(writes + 1);
});
