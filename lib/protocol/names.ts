import { type ErrorCode, ReqcastError, textOf } from './errors.ts';

/** The names of an interface's properties: a list that lacks one, or has another, does not compile. */
export type Names<Options> = { readonly [Name in keyof Required<Options>]: true };

/**
 * Refuses a name that nobody reads: a misspelt `authorize` or `audience` would open to everyone what it was to close.
 *
 * @param what whose options they are, in the message
 * @throws ReqcastError with `code`
 */
export function assertNames(
  what: string,
  given: unknown,
  names: Readonly<Record<string, true>>,
  code: ErrorCode = 'INVALID_OPTION',
): void {
  if (given === undefined) return;
  const refuse = (problem: string) => {
    throw new ReqcastError(code, `${what} ${problem}: ${Object.keys(names).join(', ')}.`);
  };
  if (typeof given !== 'object' || given === null)
    refuse(`was given ${textOf(given)} for its options, which are an object with`);
  for (const name in given)
    if (!Object.hasOwn(names, name)) refuse(`does not know "${name}"; its options are`);
}
