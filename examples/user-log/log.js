import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Router } from 'express';
import { csvLine } from './csv.js';
import { Refusal } from './refusal.js';

const PAGE = 50;
const MAX_PAGE = 500;
const COLUMNS = ['app', 'user', 'ip', 'request', 'date', 'time', 'status', 'message'];

/** `GET /logs` and `GET /logs/download`: the journal, filtered. */
export function log(live) {
  const router = Router();
  router.get('/', async (request, response) => {
    const limit = Math.min(wholeNumber(request.query, 'limit') ?? PAGE, MAX_PAGE);
    const entries = [];
    let more = false;
    for await (const entry of select(live.journal, request.query)) {
      more = entries.length === limit;
      if (more) break;
      entries.push(row(entry));
    }
    response.set('Cache-Control', 'no-store').json({ entries, more });
  });
  router.get('/download', async (request, response) => {
    const lines = csv(select(live.journal, request.query));
    response.type('text/csv').attachment('user-log.csv').set('Cache-Control', 'no-store');
    await pipeline(Readable.from(lines), response).catch(leftEarly);
  });
  return router;
}

/** The entries that all filters let through, newest first. What the journal cannot ask is asked here. */
function select(journal, filters) {
  const { app, user, method, message } = texts(filters);
  const { ip, request, status } = texts(filters);
  const words = request?.split(/\s+/) ?? [];
  const verb = /^[A-Za-z]+$/.test(words[0] ?? '') ? words.shift().toUpperCase() : method;
  const query = {
    requests: true,
    ...defined({ app, user, message, method: verb, url: words.join(' ') || undefined }),
    ...defined({ from: wholeNumber(filters, 'from'), to: wholeNumber(filters, 'to') }),
    ...defined({ before: wholeNumber(filters, 'before') }),
  };
  const isWanted = statusFilter(status);
  return filter(
    journal.query(query),
    ({ request }) => isWanted(request.status) && (ip === undefined || request.address?.includes(ip)),
  );
}

async function* filter(entries, isWanted) {
  for await (const entry of entries) if (isWanted(entry)) yield entry;
}

async function* csv(entries) {
  yield `\uFEFF${csvLine(COLUMNS.map((name) => (name === 'time' ? 'time (UTC)' : name)))}`;
  for await (const { time, request } of entries) {
    const [date, clock] = new Date(time).toISOString().split('T');
    const { app, user, address, method, url, status, message } = request;
    yield csvLine([app, user, address, `${method} ${url}`, date, clock.slice(0, 8), status, message]);
  }
}

function row({ offset, time, request }) {
  const { id, app, user, address, method, url, status, outcome, message, durationMs } = request;
  return { offset, time, id, app, user, ip: address, method, url, status, outcome, message, durationMs };
}

/** `404` is that status, `4xx` its class. */
function statusFilter(status) {
  if (status === undefined) return () => true;
  if (/^[1-5]xx$/i.test(status)) return (value) => Math.floor(value / 100) === Number(status[0]);
  if (!/^\d{3}$/.test(status)) throw new Refusal(400, 'The filter “status” is e.g. 404 or 4xx.');
  return (value) => value === Number(status);
}

function texts(filters) {
  return Object.fromEntries(
    Object.entries(filters).flatMap(([name, value]) =>
      typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()]] : [],
    ),
  );
}

function wholeNumber(filters, name) {
  const text = texts(filters)[name];
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new Refusal(400, `The filter “${name}” is a whole number.`);
  return Number(text);
}

function defined(record) {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** A download that its reader breaks off is no error of ours. */
function leftEarly(error) {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
}
