import type { Server } from 'node:http';
import { ReqcastError, textOf } from '../protocol/errors.ts';

/**
 * The server that `attach` was given, if any. What is neither a server nor options would never see a request: an app of
 * Express, or a server that is not made yet.
 *
 * @throws ReqcastError `NO_SERVER`
 */
export function serverAmong(given: readonly unknown[]): Server | undefined {
  const [first] = given;
  const has = (name: string) => typeof (first as Record<string, unknown> | undefined)?.[name] === 'function';
  if (has('emit') && has('address')) return first as Server;
  const isOptions = typeof first === 'object' && first !== null && !has('emit');
  if (given.length === 0 || (given.length === 1 && isOptions)) return undefined;
  throw new ReqcastError(
    'NO_SERVER',
    `attach was given ${has('emit') ? 'an app' : textOf(first)} for a server; give it what createServer(app) or ` +
      'app.listen() returns, or options alone.',
  );
}
