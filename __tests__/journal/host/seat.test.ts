import { rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { dial } from '../../../lib/journal/host/seat.ts';
import { temporaryDirectory } from '../../support/directory.ts';

test('a seat whose owner dies while somebody knocks is vacant', async () => {
  const path = join(temporaryDirectory(), 'host');
  const server = createServer();
  await new Promise<void>((done) => server.listen(`${path}~`, done));
  await rename(`${path}~`, path);
  const dialled = dial(path);
  server.close();
  expect(await dialled).toBeUndefined();
});
