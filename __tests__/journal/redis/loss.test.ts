import { cpSync, rmSync } from 'node:fs';
import { all, draft } from '../../contract/journal-contract.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { ioredis, RedisServer, testWithRedis } from '../../support/redis.ts';
import { until } from '../../support/server.ts';
import { Switch } from '../../support/switch.ts';
import { append, epochOf, range, renewed, sinceReset, spread } from '../nodes.ts';
import { startNode } from './stage.ts';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** A client that may not ask Redis which run of which server it is. */
async function withoutInfo(server: RedisServer) {
  await server.ask('acl', 'setuser', 'app', 'on', '>right', '~*', '&*', '+@all', '-info');
  return ioredis(server.port, { username: 'app', password: 'right', enableReadyCheck: false });
}

/** Goes back to what it had at its last `SAVE`. */
async function goBack(server: RedisServer): Promise<void> {
  await server.kill();
  await server.start();
}

describe('a history that is lost', () => {
  testWithRedis('while nothing happens is noticed, and another begins: FLUSHALL', async () => {
    const server = await RedisServer.forTest();
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    await spread(nodes, 10);
    const old = epochOf(nodes[0]);
    await server.ask('flushall');
    await renewed(nodes, old);
    await append(nodes[1], 'b', 5);
    await until(() => nodes.every(({ sink }) => sink.entries.length === 15));
    for (const node of nodes) {
      expect(node.sink.resets).toHaveLength(2);
      expect(sinceReset(node)).toEqual(range(11, 15));
      expect(node.sink.faults).toEqual([]);
    }
  });

  testWithRedis('under load is noticed by the next entry: FLUSHALL', async () => {
    const server = await RedisServer.forTest();
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    let loading = true;
    let sent = 0;
    const load = (async () => {
      while (loading) {
        for (const { journal } of nodes) journal.append(draft(`POST:/a/${sent++}`));
        await new Promise((done) => setImmediate(done));
      }
    })();
    await until(() => nodes.every(({ sink }) => sink.entries.length > 200));
    const old = epochOf(nodes[0]);
    await server.ask('flushall');
    await renewed(nodes, old);
    const counts = nodes.map(({ sink }) => sink.entries.length);
    await until(() => nodes.every(({ sink }, n) => sink.entries.length > (counts[n] as number) + 200));
    loading = false;
    await load;
    await Promise.all(nodes.map(({ journal }) => journal.flush()));
    const [one, other] = nodes;
    const start = one.sink.resets.at(-1)?.offset as number;
    const own = one.sink.entries.slice(-sinceReset(one).length);
    await until(() => sinceReset(other).length >= own.length);
    expect(sinceReset(one).slice(0, own.length)).toEqual(range(start + 1, start + own.length));
    // It may have heard of more already.
    expect(other.sink.entries.slice(-sinceReset(other).length).slice(0, own.length)).toEqual(own);
    expect(nodes.map(({ sink }) => sink.resets.length)).toEqual([2, 2]);
  });

  testWithRedis('is noticed when Redis was killed and kept nothing', async () => {
    const server = await RedisServer.forTest();
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    await spread(nodes, 10);
    const old = epochOf(nodes[0]);
    await server.kill();
    await server.start();
    await renewed(nodes, old);
    await append(nodes[0], 'b', 1);
    expect(sinceReset(nodes[0])).toEqual([11]);
    expect(nodes.map(({ sink }) => sink.resets.length)).toEqual([2, 2]);
  });

  testWithRedis('in part is noticed when Redis comes back with an older file', async () => {
    const server = await RedisServer.forTest(...DURABLE);
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    await spread(nodes, 10);
    const copy = `${temporaryDirectory()}/copy`;
    await server.kill();
    cpSync(server.directory, copy, { recursive: true });
    await server.start();
    await append(nodes[0], 'b', 10);
    await until(() => nodes.every(({ sink }) => sink.entries.length === 20));
    expect(nodes.map(({ sink }) => sink.resets.length)).toEqual([1, 1]);
    const old = epochOf(nodes[0]);
    await server.kill();
    rmSync(server.directory, { recursive: true });
    cpSync(copy, server.directory, { recursive: true });
    await server.start();
    await renewed(nodes, old);
    await append(nodes[1], 'c', 1);
    expect(sinceReset(nodes[1])).toEqual([21]);
  });

  testWithRedis('with its epoch is noticed when Redis comes back with the epoch before', async () => {
    const server = await RedisServer.forTest(...DURABLE);
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    await spread(nodes, 10);
    const copy = `${temporaryDirectory()}/copy`;
    cpSync(server.directory, copy, { recursive: true });
    const first = epochOf(nodes[0]);
    await server.ask('flushall');
    await renewed(nodes, first);
    const second = epochOf(nodes[0]);
    await server.kill();
    rmSync(server.directory, { recursive: true });
    cpSync(copy, server.directory, { recursive: true });
    await server.start();
    await renewed(nodes, second);
    expect(epochOf(nodes[0])).not.toBe(first);
    expect(nodes.map(({ sink }) => sink.resets.length)).toEqual([3, 3]);
  });

  testWithRedis(
    'in part is noticed when a replica that lacks it was promoted, and others wrote there',
    async () => {
      const primary = await RedisServer.forTest('--repl-diskless-sync-delay', '0');
      const replica = await RedisServer.forTest();
      const replication = await Switch.to(primary.port);
      await replica.ask('replicaof', '127.0.0.1', replication.port);
      const line = await Switch.to(primary.port);
      const node = await startNode(line.port);
      await append(node, 'a', 5);
      await until(async () => (await replica.ask('xlen', '{reqcast}:entries')) === 6);
      replication.lead(1);
      await append(node, 'b', 5);
      expect(sinceReset(node)).toEqual(range(1, 10));
      await primary.kill();
      await replica.ask('replicaof', 'no', 'one');
      // It knows nothing of what was lost, may not ask which server it is, and numbers 6 to 25 once more.
      const fresh = await startNode(replica.port, { client: await withoutInfo(replica) });
      await append(fresh, 'c', 20);
      const old = epochOf(fresh);
      expect(old).toBe(epochOf(node));
      line.lead(replica.port);
      await renewed([node, fresh], old);
      expect(node.sink.topics).not.toContain('POST:/c/0');
      await append(fresh, 'd', 1);
      await until(() => node.sink.topics.includes('POST:/d/0'));
      expect(sinceReset(node)).toEqual(sinceReset(fresh));
      expect(node.sink.resets).toHaveLength(2);
      expect(fresh.sink.resets).toHaveLength(2);
    },
  );

  testWithRedis('in part while no process runs that saw it ends its epoch', async () => {
    const server = await RedisServer.forTest();
    const before = await startNode(server.port);
    await append(before, 'a', 5);
    await server.ask('save');
    await append(before, 'b', 5);
    await before.journal.close();
    await goBack(server);
    const after = await startNode(server.port);
    expect(after.sink.resets).toHaveLength(1);
    expect(epochOf(after)).not.toBe(epochOf(before));
    await append(after, 'c', 10);
    expect(await all(after.journal)).toHaveLength(15);
    const next = await startNode(server.port);
    expect(epochOf(next)).toBe(epochOf(after));
  });

  testWithRedis('in part with a server that failed ends its epoch on the replica too', async () => {
    const primary = await RedisServer.forTest('--repl-diskless-sync-delay', '0');
    const replica = await RedisServer.forTest('--replicaof', '127.0.0.1', String(primary.port));
    const before = await startNode(primary.port);
    await append(before, 'a', 5);
    await until(async () => (await replica.ask('xlen', '{reqcast}:entries')) === 6);
    await before.journal.close();
    await primary.kill();
    await replica.ask('replicaof', 'no', 'one');
    const after = await startNode(replica.port);
    expect(epochOf(after)).not.toBe(epochOf(before));
  });

  testWithRedis('is not noticed by a process that saw none of it and may not ask for INFO', async () => {
    const server = await RedisServer.forTest();
    const client = await withoutInfo(server);
    const before = await startNode(server.port, { client });
    await append(before, 'a', 5);
    await server.ask('save');
    await append(before, 'b', 5);
    await before.journal.close();
    await goBack(server);
    const after = await startNode(server.port, { client: await withoutInfo(server) });
    expect(epochOf(after)).toBe(epochOf(before));
    expect(after.sink.faults).toEqual([]);
  });

  testWithRedis('is noticed by one that writes at once, before it has read anything', async () => {
    const primary = await RedisServer.forTest();
    const other = await RedisServer.forTest();
    const line = await Switch.to(primary.port);
    const node = await startNode(line.port);
    await append(node, 'a', 5);
    const fresh = await startNode(other.port);
    await append(fresh, 'b', 20);
    line.lead(other.port);
    await append(node, 'c', 1);
    // Another journal altogether, which is younger: there is no telling what it has in common with the old one.
    await until(() => node.sink.topics.includes('POST:/c/0') && fresh.sink.topics.includes('POST:/c/0'));
    expect(epochOf(node)).toBe(epochOf(fresh));
    expect(node.sink.resets).toHaveLength(2);
  });
});

describe('a history that is not lost', () => {
  testWithRedis('goes on when Redis was killed and has it on its disk', async () => {
    const server = await RedisServer.forTest(...DURABLE);
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    let sent = 0;
    const some = (count: number) => {
      for (let i = 0; i < count; i++) nodes[sent % 2]?.journal.append(draft(`POST:/a/${sent++}`));
    };
    some(100);
    await nodes[0].journal.flush();
    for (let kills = 0; kills < 3; kills++) {
      some(100);
      const killed = server.kill();
      some(100);
      await killed;
      some(100);
      await server.start();
      await until(() => nodes.every(({ journal }) => journal.stats().connected));
    }
    await until(() => nodes.every(({ sink }) => sink.entries.length >= sent));
    await Promise.all(nodes.map(({ journal }) => journal.flush()));
    for (const { sink } of nodes) {
      expect(sink.entries.map(({ offset }) => offset)).toEqual(range(1, sent));
      expect(new Set(sink.topics).size).toBe(sent);
      expect(sink.resets).toHaveLength(1);
    }
    expect(nodes[1].sink.entries).toEqual(nodes[0].sink.entries);
  });

  testWithRedis('goes on where a process that ran all the time vouches for it', async () => {
    const server = await RedisServer.forTest(...DURABLE);
    const node = await startNode(server.port);
    await append(node, 'a', 5);
    await server.kill();
    await server.start();
    await until(() => node.journal.stats().connected);
    const fresh = await startNode(server.port);
    await append(fresh, 'b', 5);
    await until(() => node.sink.entries.length === 10);
    expect(epochOf(fresh)).toBe(epochOf(node));
    expect(node.sink.resets).toHaveLength(1);
  });

  testWithRedis('goes on from process to process while one Redis runs', async () => {
    const server = await RedisServer.forTest();
    const before = await startNode(server.port);
    await append(before, 'a', 5);
    await before.journal.close();
    const after = await startNode(server.port);
    expect(epochOf(after)).toBe(epochOf(before));
    expect(after.sink.entries).toEqual(before.sink.entries);
  });

  testWithRedis('but lies too far back for one that was away goes on from what is there', async () => {
    const server = await RedisServer.forTest();
    const line = await Switch.to(server.port);
    const away = await startNode(line.port);
    const there = await startNode(server.port);
    await append(there, 'a', 10);
    await until(() => away.sink.entries.length === 10);
    line.lead(1);
    await append(there, 'b', 1000);
    await server.ask('xtrim', '{reqcast}:entries', 'maxlen', 5);
    line.lead(server.port);
    await until(() => away.sink.entries.at(-1)?.offset === 1010);
    expect(away.sink.resets.slice(1)).toEqual([{ epoch: epochOf(there), offset: 1005 }]);
    expect(sinceReset(away)).toEqual(range(1006, 1010));
    expect(there.sink.resets).toHaveLength(1);
  });

  testWithRedis('is read whole by one that was away', async () => {
    const server = await RedisServer.forTest();
    const line = await Switch.to(server.port);
    const away = await startNode(line.port);
    const there = await startNode(server.port);
    await append(there, 'a', 10);
    line.lead(1);
    await append(there, 'b', 3000);
    line.lead(server.port);
    await until(() => away.sink.entries.length === 3010);
    expect(away.sink.entries).toEqual(there.sink.entries);
    expect(away.sink.calls).toEqual(there.sink.calls);
  });
});
