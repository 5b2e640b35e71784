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
      async () => {
        const connection = await connect(server.port);
        const stream = `s${++streams}`;
        return { journal: () => natsJournal({ connection, stream, node: 'here' }) };
      },
      { node: 'here', kept: true, shared: true },
    );
} else testWithNats('NATS keeps the journal’s contract', () => {});
