import { spawnSync } from 'node:child_process';
import http from 'node:http';
import { join, resolve } from 'node:path';
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

test('an upgrade that other listeners leave alone is refused in the end', async () => {
  jest.useFakeTimers({
    doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'setInterval'],
  });
  afterwards(() => jest.useRealTimers());
  const server = http.createServer();
  const upgraded = new Promise((done) => server.on('upgrade', done));
  const live = attach(server);
  afterwards(() => live.close());
  const refused = refusal(`ws://127.0.0.1:${await listen(server)}/elsewhere`);
  await upgraded;
  jest.advanceTimersByTime(10_000);
  expect(await refused).toEqual({ status: 404, body: expect.stringContaining('UNCLAIMED') });
});
