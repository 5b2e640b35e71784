import type { RequestRecord } from '../journal/entry.ts';
import { ReqcastError } from '../protocol/errors.ts';
import type { Exchange } from '../request/exchange.ts';
import type { Observer } from '../request/observer.ts';
import { recordId } from '../request/record-id.ts';
import type { Task } from './attachment.ts';
import { copyData } from './data.ts';

/** The end of what `exchange` began becomes a record of its own, after the exchange's. */
export function createTask(exchange: Exchange, observer: Observer): Task {
  const startedAt = performance.now();
  let ended = false;
  return {
    id: exchange.id,
    done(status = 200, { message, data } = {}) {
      if (!Number.isInteger(status) || status < 100 || status > 599)
        throw new ReqcastError(
          'INVALID_OPTION',
          `Task status is ${status}; it must be an HTTP status, 100 to 599.`,
        );
      const copy = copyData(data);
      if (ended) return;
      ended = true;
      const durationMs = Math.round(performance.now() - startedAt);
      exchange.whenRecorded((first, audience) => {
        const topic = first.topic && `TASK${first.topic.slice(first.topic.indexOf(':'))}`;
        const record: RequestRecord = {
          ...first,
          id: recordId(),
          method: 'TASK',
          ...(topic && { topic }),
          status,
          outcome: status >= 500 ? 'failed' : 'completed',
          durationMs,
          message: message ?? first.message,
          task: first.id,
        };
        // Without the request's client: the page that began it wants to know of its end as well.
        const marks = { ...(copy !== undefined && { data: copy }), ...(audience && { audience }) };
        observer.log(record, topic ? [topic] : [], marks);
      });
    },
  };
}
