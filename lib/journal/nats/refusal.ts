import { ReqcastError } from '../../protocol/errors.ts';
import { Refused } from './line.ts';

/** Not enabled for the account; not enabled; subjects of another stream; replicas without a cluster; invalid; limits of the account. */
const REFUSALS = [10039, 10076, 10065, 10074, 10052, 10026, 10028, 10047, 10113];

/** Whether nobody has subscribed to what was asked. The older library says nothing but the status. */
export function isUnheard(error: unknown): boolean {
  return /^503$|no responders/i.test((error as Error).message);
}

/** @throws ReqcastError `JOURNAL_OPEN_FAILED` for what JetStream refuses, and what was thrown for everything else */
export function refusal(error: unknown, stream: string): never {
  const { message } = error as Error;
  const refuse = (what: string) => {
    throw new ReqcastError('JOURNAL_OPEN_FAILED', `NATS refuses the journal: ${what}`, { cause: error });
  };
  if (isUnheard(error) || (error instanceof Refused && [10039, 10076].includes(error.code)))
    refuse('it has no JetStream. Start the server with it (nats-server -js), and enable it for the account.');
  if (/permissions? violation/i.test(message))
    refuse(
      `${message}. Allow publishing to $JS.API.STREAM.*.${stream}, $JS.API.STREAM.MSG.GET.${stream}, $JS.API.CONSUMER.> and ${stream}.*, and subscribing to the inbox.`,
    );
  if (error instanceof Refused && REFUSALS.includes(error.code))
    refuse(`${message}. Change what it complains of, or give another name by the option stream.`);
  throw error;
}
