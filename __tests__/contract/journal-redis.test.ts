import { type RedisClient, redisJournal } from '../../lib/journal/redis/index.ts';
import { hasRedis, LIBRARIES, RedisServer, testWithRedis } from '../support/redis.ts';
import { journalContract } from './journal-contract.ts';

/** Redis drops whole nodes of a stream, of a hundred entries each. */
const RETENTION = { maxEntries: 1000, keepsFewerThan: 1300 };

let server: RedisServer;
let keys = 0;

const history = (clientOf: (port: number) => RedisClient, maxEntries?: number) => {
  const key = `k${++keys}`;
  return { journal: () => redisJournal({ client: clientOf(server.port), key, node: 'here', maxEntries }) };
};

if (hasRedis) {
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.remove());
  const traits = { node: 'here', kept: true, shared: true };
  for (const [name, clientOf] of LIBRARIES) journalContract(name, () => history(clientOf), traits);
  const [[, clientOf]] = LIBRARIES as [(typeof LIBRARIES)[0]];
  journalContract('bounded redis', () => history(clientOf, RETENTION.maxEntries), {
    ...traits,
    keepsFewerThan: RETENTION.keepsFewerThan,
  });
} else testWithRedis('Redis keeps the journal’s contract', () => {});
