import { Duplex } from 'node:stream';
import { Refusal, refuse } from '../../lib/websocket/refusal.ts';

test('a refusal that the client does not wait for ends in nothing worse', async () => {
  const socket = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(new Error('write ECONNRESET')),
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  refuse(socket, new Refusal(411, 'LENGTH_REQUIRED', 'on purpose'));
  // Without a listener it would be an uncaught error.
  await closed;
  expect(socket.errored).toMatchObject({ message: 'write ECONNRESET' });
});
