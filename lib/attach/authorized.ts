import type { IncomingMessage } from 'node:http';
import { Refusal } from '../websocket/refusal.ts';
import type { Authorize } from './options.ts';

/**
 * The audiences that `authorize` gives a visitor. Without one everyone may enter.
 *
 * @param name where a tunnel is to lead
 * @throws Refusal 401
 */
export async function authorized(
  authorize: Authorize | undefined,
  request: IncomingMessage,
  name?: string,
): Promise<readonly string[]> {
  const given = authorize ? await authorize(request, name) : true;
  if (given === true) return [];
  if (Array.isArray(given)) return given;
  throw new Refusal(401, 'UNAUTHORIZED', 'Log in first.');
}
