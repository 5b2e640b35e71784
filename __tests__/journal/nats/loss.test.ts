import { cpSync, rmSync } from 'node:fs';
import { all, draft } from '../../contract/journal-contract.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { connectNats, NatsServer, testWithNats } from '../../support/nats.ts';
import { afterwards, until } from '../../support/server.ts';
import { Switch } from '../../support/switch.ts';
import { append, epochOf, range, renewed, sinceReset, spread } from '../nodes.ts';
import { startNode } from './stage.ts';

/** Ways to lose everything while the server runs. */
const WAYS: [string, (server: NatsServer) => Promise<unknown>][] = [
  ['deleted', (server) => server.ask('STREAM.DELETE.reqcast')],
  ['purged', (server) => server.ask('STREAM.PURGE.reqcast')],
  [
    'made anew by somebody else',
    async (server) => {
      const { config } = await server.ask('STREAM.INFO.reqcast');
      await server.ask('STREAM.DELETE.reqcast');
      await server.ask('STREAM.CREATE.reqcast', config);
    },
  ],
];

describe('a history that is lost', () => {
  testWithNats.each(WAYS)('while nothing happens is noticed: the stream is %s', async (_name, lose) => {
    const server = await NatsServer.forTest();
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    await spread(nodes, 10);
    const old = epochOf(nodes[0]);
    await lose(server);
    await renewed(nodes, old);
    await append(nodes[1], 'b', 5);
    await until(() => nodes.every(({ sink }) => sink.entries.length === 15));
    for (const node of nodes) {
      expect(node.sink.resets).toHaveLength(2);
      expect(sinceReset(node)).toEqual(range(11, 15));
      expect(node.sink.faults).toEqual([]);
    }
  });

  testWithNats.each(WAYS)('under load is noticed: the stream is %s', async (_name, lose) => {
    const server = await NatsServer.forTest();
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    let loading = true;
    afterwards(() => {
      loading = false;
    });
    let sent = 0;
    const load = (async () => {
      while (loading) {
        for (const { journal } of nodes) journal.append(draft(`POST:/a/${sent++}`));
        await new Promise((done) => setTimeout(done, 1));
      }
    })();
    await until(() => nodes.every(({ sink }) => sink.entries.length > 200));
    const old = epochOf(nodes[0]);
    await lose(server);
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
    expect(epochOf(one)).toBe(epochOf(other));
    for (const { sink } of nodes) expect(sink.resets.length).toBeLessThanOrEqual(3);
  });

  testWithNats('is noticed when NATS was killed and kept nothing', async () => {
    const server = await NatsServer.forTest();
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    await spread(nodes, 10);
    const old = epochOf(nodes[0]);
    await server.kill();
    rmSync(server.directory, { recursive: true });
    await server.start();
    await renewed(nodes, old);
    await append(nodes[0], 'b', 1);
    expect(sinceReset(nodes[0])).toEqual([11]);
    expect(nodes.map(({ sink }) => sink.resets.length)).toEqual([2, 2]);
  });

  testWithNats(
    'in part is noticed when NATS comes back with older files, and others wrote there',
    async () => {
      const server = await NatsServer.forTest();
      const line = await Switch.to(server.port);
      const nodes = [await startNode(line.port), await startNode(line.port)] as const;
      await spread(nodes, 10);
      const copy = `${temporaryDirectory()}/copy`;
      await server.kill();
      cpSync(server.directory, copy, { recursive: true });
      await server.start();
      await append(nodes[0], 'b', 10);
      await until(() => nodes.every(({ sink }) => sink.entries.length === 20));
      expect(nodes.map(({ sink }) => sink.resets.length)).toEqual([1, 1]);
      const old = epochOf(nodes[0]);
      line.lead(1);
      await server.kill();
      rmSync(server.directory, { recursive: true });
      cpSync(copy, server.directory, { recursive: true });
      await server.start();
      // They know nothing of what was lost, and number 11 to 30 once more.
      const stranger = await connectNats(server.port);
      for (let i = 0; i < 20; i++) await stranger.request('reqcast.entry', JSON.stringify(draft('POST:/c')));
      line.lead(server.port);
      await renewed(nodes, old);
      await append(nodes[1], 'd', 1);
      await until(() => nodes.every(({ sink }) => sink.topics.includes('POST:/d/0')));
      expect(sinceReset(nodes[1])).toEqual(sinceReset(nodes[0]));
      expect(epochOf(nodes[0])).toBe(epochOf(nodes[1]));
    },
  );

  testWithNats('in part while no process runs that saw it ends its epoch', async () => {
    const server = await NatsServer.forTest();
    const before = await startNode(server.port);
    await append(before, 'a', 5);
    const copy = `${temporaryDirectory()}/copy`;
    await server.kill();
    cpSync(server.directory, copy, { recursive: true });
    await server.start();
    await append(before, 'b', 5);
    await before.journal.close();
    await server.kill();
    rmSync(server.directory, { recursive: true });
    cpSync(copy, server.directory, { recursive: true });
    await server.start();
    const after = await startNode(server.port);
    expect(epochOf(after)).not.toBe(epochOf(before));
    await append(after, 'c', 5);
    expect(await all(after.journal)).toHaveLength(10);
    const next = await startNode(server.port);
    expect(epochOf(next)).toBe(epochOf(after));
    expect(next.sink.entries).toEqual(after.sink.entries);
  });

  testWithNats('in the middle is no hole: entries after it begin anew', async () => {
    const server = await NatsServer.forTest();
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    await spread(nodes, 10);
    await server.ask('STREAM.MSG.DELETE.reqcast', { seq: 6 });
    const late = await startNode(server.port);
    expect(late.sink.resets).toEqual([{ epoch: epochOf(nodes[0]), offset: 5 }]);
    expect(sinceReset(late)).toEqual(range(6, 10));
  });

  testWithNats('right before the newest entry is told once', async () => {
    const server = await NatsServer.forTest();
    const line = await Switch.to(server.port);
    const nodes = [await startNode(line.port), await startNode(server.port)] as const;
    const [late, other] = nodes;
    await spread(nodes, 10);
    line.lead(1);
    await append(other, 'b', 2);
    await server.ask('STREAM.MSG.DELETE.reqcast', { seq: 12 });
    line.lead(server.port);
    await until(() => late.sink.resets.length === 2);
    await append(other, 'c', 5);
    await until(() => late.sink.topics.includes('POST:/c/4'));
    expect(late.sink.resets.slice(1)).toEqual([{ epoch: epochOf(other), offset: 11 }]);
    expect(sinceReset(late)).toEqual(range(12, 17));
  });

  testWithNats('at its end is noticed: the newest entry is deleted', async () => {
    const server = await NatsServer.forTest();
    const nodes = [await startNode(server.port), await startNode(server.port)] as const;
    await spread(nodes, 10);
    await server.ask('STREAM.MSG.DELETE.reqcast', { seq: 11 });
    await append(nodes[0], 'b', 1);
    const late = await startNode(server.port);
    expect(late.sink.resets.at(-1)?.offset).toBeGreaterThanOrEqual(10);
  });
});

describe('a history that is not lost', () => {
  testWithNats('goes on where a process that ran all the time vouches for it', async () => {
    const server = await NatsServer.forTest();
    const node = await startNode(server.port);
    await append(node, 'a', 5);
    await server.kill();
    await server.start();
    await append(node, 'b', 5);
    await until(() => node.sink.entries.length === 10);
    const fresh = await startNode(server.port);
    await append(fresh, 'c', 5);
    await until(() => node.sink.entries.length === 15);
    expect(epochOf(fresh)).toBe(epochOf(node));
    expect(sinceReset(node)).toEqual(range(1, 15));
    expect(fresh.sink.entries).toEqual(node.sink.entries);
  });

  testWithNats('goes on when NATS was killed and has it on its disk', async () => {
    const server = await NatsServer.forTest();
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
});
