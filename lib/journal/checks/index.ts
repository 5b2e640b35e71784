export { type JournalCheck, journalChecks } from './journal-checks.ts';
export type { JournalTraits, TestHistory } from './stage.ts';
