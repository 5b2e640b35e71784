export type { IoRedisClient, NodeRedisClient, RedisClient } from './client.ts';
export { type RedisJournalOptions, redisJournal } from './redis-journal.ts';
