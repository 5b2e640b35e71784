import { ReqcastError, textOf } from '../protocol/errors.ts';
import { copyPlain } from './plain.ts';

/** The most data that a notification carries, in characters of JSON: it says what changed, it is not the change. */
const MAX_DATA_LENGTH = 65_536;

/**
 * A copy that later changes do not reach.
 *
 * @throws ReqcastError `INVALID_DATA`
 */
export function copyData(data: unknown): unknown {
  if (data === undefined) return undefined;
  let json: string | undefined;
  try {
    const copy = copyPlain(data, MAX_DATA_LENGTH);
    if (copy !== undefined) return copy;
    json = JSON.stringify(data);
  } catch (cause) {
    throw new ReqcastError('INVALID_DATA', `Data cannot be written as JSON: ${textOf(cause)}`, { cause });
  }
  if (json === undefined)
    throw new ReqcastError('INVALID_DATA', `Data is a ${typeof data}; give a JSON value.`);
  if (json.length > MAX_DATA_LENGTH)
    throw new ReqcastError(
      'INVALID_DATA',
      `Data has ${json.length} characters of JSON, of which ${MAX_DATA_LENGTH} are allowed: give what the page needs to fetch it.`,
    );
  return JSON.parse(json);
}
