import createDebug from 'debug';
import { type ErrorCode, ReqcastError, textOf } from '../protocol/errors.ts';
import type { AttachOptions, Stage } from './options.ts';

const debug = createDebug('reqcast:fault');

export type Fault = (stage: Stage, fault: unknown) => void;

/** Background faults on their way to `onError`, or without one to a process warning for the first of each code. */
export function faults(onError: AttachOptions['onError']): Fault {
  const warned = new Set<ErrorCode>();
  return (stage, fault) => {
    const error = isOurs(fault)
      ? fault
      : new ReqcastError('CALLBACK_FAILED', `A function given to reqcast failed: ${textOf(fault)}`, {
          cause: fault,
        });
    debug('%s: %s %s', stage, error.code, error.message);
    if (onError) {
      try {
        const said: unknown = onError(error, { stage });
        if (said instanceof Promise) said.catch((thrown) => debug('onError threw: %s', textOf(thrown)));
        return;
      } catch (thrown) {
        debug('onError threw: %s', textOf(thrown));
      }
    }
    if (warned.has(error.code)) return;
    warned.add(error.code);
    process.emitWarning(`${error.message} (further ones of this kind are not shown; see option onError)`, {
      type: 'ReqcastWarning',
      code: error.code,
    });
  };
}

/** A journal of another entry of the package, such as `reqcast/redis`, has a copy of the class. */
function isOurs(fault: unknown): fault is ReqcastError {
  return fault instanceof Error && fault.name === 'ReqcastError';
}
