import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ReqcastError } from '../protocol/errors.ts';

/** What middleware leaves on a request whose body it has read. */
interface Parsed {
  body?: unknown;
  /** The bytes as they came; Cloud Functions and `verify` hooks of body parsers keep them so. */
  rawBody?: unknown;
}

/**
 * The request's body as a stream: the request itself, or if middleware such as `express.json()` has read it, the body
 * made again from what it left. `headers` are then changed to fit.
 *
 * @throws ReqcastError `BODY_LOST`
 */
export function bodyOf(request: IncomingMessage, headers: IncomingHttpHeaders): Readable {
  if (!request.readableDidRead) return request;
  const bytes = bytesOf(request as Parsed, headers['content-type'] ?? '');
  const { 'transfer-encoding': chunked, 'content-length': length = '0' } = headers;
  if (!bytes && (chunked !== undefined || length !== '0')) {
    const message =
      'The body of a forwarded request was read before and cannot be made again: forward first, or keep it as ' +
      'request.rawBody.';
    throw new ReqcastError('BODY_LOST', message);
  }
  delete headers['transfer-encoding'];
  delete headers['content-encoding'];
  if (bytes || length !== '0') headers['content-length'] = String(bytes?.length ?? 0);
  return Readable.from(bytes?.length ? [bytes] : []);
}

function bytesOf({ body, rawBody }: Parsed, type: string): Buffer | undefined {
  if (rawBody instanceof Uint8Array) return Buffer.from(rawBody);
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (typeof body === 'string') return Buffer.from(/[/+]json\b/i.test(type) ? JSON.stringify(body) : body);
  if (body === undefined || body === null) return undefined;
  if (/[/+]json\b/i.test(type)) return Buffer.from(JSON.stringify(body));
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) return formBytes(body);
  return undefined;
}

/** A flat form, names may repeat; what `qs` made of `a[b]=c` is not guessed at. */
function formBytes(body: object): Buffer | undefined {
  const pairs = Object.entries(body).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((one) => [name, one]) : [[name, value]],
  );
  if (pairs.some(([, value]) => typeof value !== 'string')) return undefined;
  return Buffer.from(new URLSearchParams(pairs as Array<[string, string]>).toString());
}
