import { hostname } from 'node:os';
import { ReqcastError, textOf } from '../protocol/errors.ts';

/**
 * Refuses an option of a journal.
 *
 * @param journal the function that it was given to
 * @throws ReqcastError `INVALID_OPTION`
 */
export function refuse(journal: string, name: string, value: unknown, allowed: string): never {
  const shown = typeof value === 'string' ? JSON.stringify(value) : textOf(value);
  throw new ReqcastError('INVALID_OPTION', `${journal} ${name} is ${shown}; it must be ${allowed}.`);
}

export function isWhole(value: unknown, least = 1): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** What a process is called in the journal of several machines unless it is told. */
export function nodeName(): string {
  return `${hostname()}:${process.pid}`;
}
