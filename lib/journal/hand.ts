import { ReqcastError, textOf } from '../protocol/errors.ts';
import type { JournalSink } from './journal.ts';

/** Hands something on. What the receiver throws is reported, and breaks nothing. */
export function hand(sink: JournalSink, act: (sink: JournalSink) => void): void {
  try {
    act(sink);
  } catch (cause) {
    const message = `The receiver of the journal failed: ${textOf((cause as Error).message)}`;
    sink.fault(new ReqcastError('CALLBACK_FAILED', message, { cause }));
  }
}
