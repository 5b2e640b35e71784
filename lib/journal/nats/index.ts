export type { NatsConnection } from './connection.ts';
export { type NatsJournalOptions, natsJournal } from './nats-journal.ts';
