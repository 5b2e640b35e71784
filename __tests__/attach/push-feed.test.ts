import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { attach } from '../../lib/attach/attach.ts';
import { hostJournal } from '../../lib/journal/host/host-journal.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards, until } from '../support/server.ts';

test('of the processes that share a journal one has the push server’s socket, and another after it', async () => {
  const directory = temporaryDirectory();
  const socketPath = join(directory, 'push');
  const faults: string[] = [];
  const start = async () => {
    const live = attach(createServer(), {
      journal: hostJournal({ socketPath: join(directory, 'host') }),
      pushServer: { socketPath },
      onError: ({ message }) => faults.push(message),
    });
    afterwards(() => live.close());
    await live.ready;
    return live;
  };
  const listen = async () => {
    const peer = connect(socketPath).setEncoding('utf8');
    afterwards(() => peer.destroy());
    peer.on('error', () => {});
    let text = '';
    peer.on('data', (piece) => {
      text += piece;
    });
    const connected = await new Promise((resolve) => {
      peer.on('connect', () => resolve(true)).on('close', () => resolve(false));
    });
    return connected ? { text: () => text, closed: () => peer.closed } : undefined;
  };
  const first = await start();
  const second = await start();
  expect(second.socketPath).toBe(socketPath);

  const before = await until(listen);
  second.notify('POST:/from/second');
  await until(() => before.text() === 'POST:/from/second//EOM//');
  await first.close();
  await until(before.closed);
  const after = await until(listen);
  second.notify('POST:/after');
  await until(() => after.text() === 'POST:/after//EOM//');

  expect(faults).toEqual([]);
});
