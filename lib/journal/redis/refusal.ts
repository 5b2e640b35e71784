import { ReqcastError } from '../../protocol/errors.ts';

/** Replies that say what is wrong with the settings. */
const REFUSALS =
  /^(WRONGPASS|NOAUTH|NOPERM|WRONGTYPE|ERR (unknown command|AUTH|invalid password|syntax error))/i;

/** @throws ReqcastError `JOURNAL_OPEN_FAILED` for what Redis refuses, and what was thrown for everything else */
export function refusal(error: unknown): never {
  const { message } = error as Error;
  if (!REFUSALS.test(message)) throw error;
  const todo = `It must be Redis 6.2 or later, or Valkey; the user of the client must be allowed EVALSHA, EVAL, XADD, XREAD, XRANGE, XREVRANGE, XTRIM, GET, SET and TIME on the journal's keys, and should be allowed INFO; nothing else may be there.`;
  throw new ReqcastError('JOURNAL_OPEN_FAILED', `Redis refuses the journal: ${message}. ${todo}`, {
    cause: error,
  });
}
