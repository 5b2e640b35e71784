import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { attach } from '../../lib/index.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards, listen } from '../support/server.ts';
import { refusal } from '../support/subscriber.ts';

test('an attachment never keeps a process alive by itself', () => {
  const directory = temporaryDirectory();
  const program = `
    import http from 'node:http';
    import net from 'node:net';
    import { attach, fileJournal } from ${JSON.stringify(resolve('dist/index.js'))};
    const live = attach(http.createServer(), {
      journal: fileJournal({ path: ${JSON.stringify(join(directory, 'requests.jsonl'))} }),
      pushServer: { socketPath: ${JSON.stringify(join(directory, 'socket'))} },
    });
    live.on('*:/**', () => {});
    live.notify('POST:/a');
    await live.ready;
    net.connect(live.socketPath).unref();
    await live.journal.flush();
    console.log('at the end');
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'at the end\n', stderr: '' });
});

function stopClock(): void {
  jest.useFakeTimers({
    doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'setInterval'],
  });
  afterwards(() => jest.useRealTimers());
}

test('an upgrade that other listeners leave alone is refused in the end', async () => {
  stopClock();
  const server = http.createServer();
  const upgraded = new Promise((done) => server.on('upgrade', done));
  const live = attach(server);
  afterwards(() => live.close());
  const refused = refusal(`ws://127.0.0.1:${await listen(server)}/elsewhere`);
  await upgraded;
  jest.advanceTimersByTime(10_000);
  expect(await refused).toEqual({ status: 404, body: expect.stringContaining('UNCLAIMED') });
});

test('an upgrade with a body that another listener has answered is left to it', async () => {
  stopClock();
  const server = http.createServer();
  const upgraded = once(server, 'upgrade');
  const live = attach(server);
  afterwards(() => live.close());
  const client = net.connect(await listen(server), '127.0.0.1');
  const reply = text(client);
  client.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: own\r\nContent-Length: 9\r\n\r\n',
  );
  const [, socket] = (await upgraded) as [unknown, Duplex];
  await new Promise((resolve) => socket.write('taken', resolve));
  jest.advanceTimersByTime(10_000);
  socket.end(' and done');
  expect(await reply).toBe('taken and done');
});
