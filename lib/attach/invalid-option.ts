import { ReqcastError, textOf } from '../protocol/errors.ts';

/** @throws ReqcastError `INVALID_OPTION` */
export function refuse(name: string, value: unknown, allowed: string): never {
  throw new ReqcastError('INVALID_OPTION', `Option ${name} is ${textOf(value)}; it must be ${allowed}.`);
}
