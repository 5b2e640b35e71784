import { copyAudience } from '../protocol/audience.ts';
import { ReqcastError } from '../protocol/errors.ts';
import { assertNames } from '../protocol/names.ts';

/**
 * Whom `notify` is to tell. A list in the options' place, or a misspelt audience, would be announced to everyone.
 *
 * @throws ReqcastError `INVALID_OPTION`
 */
export function audienceOf(options?: {
  readonly audience?: readonly string[];
}): readonly string[] | undefined {
  if (options === undefined) return undefined;
  if (Array.isArray(options))
    throw new ReqcastError('INVALID_OPTION', 'The options of notify are a list; give { audience: […] }.');
  assertNames('notify', options, { audience: true });
  return copyAudience(options.audience);
}
