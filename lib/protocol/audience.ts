import { ReqcastError, textOf } from './errors.ts';

/**
 * A copy that later changes do not reach. What is no list of names is refused: taken for none it would show the entry
 * to everyone.
 *
 * @throws ReqcastError `INVALID_OPTION`
 */
export function copyAudience(audience: unknown): readonly string[] | undefined {
  if (audience === undefined) return undefined;
  if (Array.isArray(audience) && audience.every((name) => typeof name === 'string')) return [...audience];
  throw new ReqcastError(
    'INVALID_OPTION',
    `Option audience is ${textOf(audience)}; it must be a list of strings, or undefined for everyone.`,
  );
}
