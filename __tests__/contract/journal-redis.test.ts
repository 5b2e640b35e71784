import { redisJournal } from '../../lib/journal/redis/index.ts';
import { hasRedis, LIBRARIES, RedisServer, testWithRedis } from '../support/redis.ts';
import { journalContract } from './journal-contract.ts';

let server: RedisServer;
let keys = 0;

if (hasRedis) {
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.remove());
  for (const [name, clientOf] of LIBRARIES)
    journalContract(
      name,
      () => redisJournal({ client: clientOf(server.port), key: `k${++keys}`, node: 'here' }),
      'here',
    );
} else testWithRedis('Redis keeps the journal’s contract', () => {});
