import { natsJournal } from '../../lib/journal/nats/index.ts';
import { hasNats, LIBRARIES, NatsServer, testWithNats } from '../support/nats.ts';
import { journalContract } from './journal-contract.ts';

let server: NatsServer;
let streams = 0;

if (hasNats) {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server?.remove());
  for (const [name, connect] of LIBRARIES)
    journalContract(
      name,
      async () =>
        natsJournal({ connection: await connect(server.port), stream: `s${++streams}`, node: 'here' }),
      { node: 'here' },
    );
} else testWithNats('NATS keeps the journal’s contract', () => {});
