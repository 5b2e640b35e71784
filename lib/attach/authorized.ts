import type { IncomingMessage } from 'node:http';
import { ReqcastError } from '../protocol/errors.ts';
import type { Connection } from '../websocket/destination.ts';
import { Refusal } from '../websocket/refusal.ts';
import type { Authorize } from './options.ts';

/**
 * The audiences that `authorize` gives a visitor, at once if it gives them at once. Without one everyone may enter.
 *
 * @param name where a tunnel is to lead
 * @throws Refusal 401
 * @throws ReqcastError `CALLBACK_FAILED` for what is no answer
 */
export function authorized(
  authorize: Authorize | undefined,
  request: IncomingMessage,
  name?: string,
): readonly string[] | Promise<readonly string[]> {
  const given = authorize ? authorize(request, name) : true;
  if (typeof given === 'boolean' || Array.isArray(given)) return audiencesOf(given);
  return Promise.resolve(given).then(audiencesOf);
}

function audiencesOf(given: unknown): readonly string[] {
  if (given === true) return [];
  if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given;
  if (given)
    throw new ReqcastError(
      'CALLBACK_FAILED',
      `Option authorize gave ${Array.isArray(given) ? 'a list with something else than strings' : `a value of type ${typeof given}`}; ` +
        'it must give true, false or a list of strings, the audiences. Nobody gets in until it does.',
    );
  throw new Refusal(401, 'UNAUTHORIZED', 'Log in first.');
}

/**
 * Asks who this is. Each time with a request as it came in: what middleware left on it the last time, a session for
 * instance, would be taken for the answer.
 *
 * @throws Refusal 401
 */
export async function connect(
  authorize: Authorize | undefined,
  original: IncomingMessage,
  name?: string,
): Promise<Connection> {
  const request: IncomingMessage = Object.create(original);
  return { request, audiences: await authorized(authorize, request, name) };
}
