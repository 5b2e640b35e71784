const DATE = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

const STATUSES = {
  200: 'OK',
  201: 'Created',
  202: 'In progress',
  204: 'Done',
  400: 'Bad request',
  401: 'No login',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
};

export const dateOf = (ms) => DATE.format(ms);
export const timeOf = (ms) => TIME.format(ms);

/** A status pill's tone and words. */
export function statusOf({ status, outcome }) {
  if (outcome === 'aborted') return { tone: 'refused', words: 'Aborted' };
  if (status === 202) return { tone: 'progress', words: '202 In progress' };
  const tone = status >= 500 ? 'failed' : status >= 400 ? 'refused' : 'ok';
  const word = STATUSES[status] ?? (status >= 500 ? 'Failed' : '');
  return { tone, words: `${status} ${word}`.trim() };
}
