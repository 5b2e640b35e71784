import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { createProxyServer } from 'http-proxy';
import { ReqcastError } from '../protocol/errors.ts';
import { bodyOf } from './body.ts';
import { OpenConnection, type PassageOptions, requestForTarget, targetUrl } from './passage.ts';

export interface ForwardRequestOptions extends PassageOptions {
  /** How long the target may take to begin its answer after it was sent the last, in milliseconds. */
  answerTimeoutMs: number;
}

/** What concerns one connection only (RFC 9110, 7.6.1), and upgrades that are not WebSockets. */
const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'te', 'upgrade', 'http2-settings'];

/** What an answer says of the connection between the target and us, which is not the client's. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
]);

/** What Node lets no status message have. */
const UNSPEAKABLE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Forwards a request over an open connection and brings the answer back. What goes wrong before the answer began
 * rejects the promise, and nothing has been written then; later the client's connection is cut off, as it cannot be
 * told otherwise. Nothing stays open that the client no longer waits for.
 *
 * @returns resolves when the response is closed
 * @throws ReqcastError `TARGET_FAILED`, `TARGET_TIMEOUT` or `BODY_LOST`
 */
export function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  stream: Socket,
  options: ForwardRequestOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // The client may have gone before it came here.
    if (response.destroyed) {
      stream.destroy();
      resolve();
      return;
    }
    const passage = requestForTarget(request, options);
    const { headers, method } = passage;
    for (const name of HOP_BY_HOP) delete headers[name];
    headers.connection = headers.connection?.toLowerCase() === 'close' ? 'close' : 'keep-alive';
    const proxy = createProxyServer();
    let body: Readable = request;
    let begun = false;
    const late = () => fail(failure('TARGET_TIMEOUT', `did not answer within ${options.answerTimeoutMs} ms`));
    const timer = setTimeout(late, options.answerTimeoutMs).unref();
    const postpone = () => timer.refresh();
    const decided = () => {
      body.off('data', postpone);
      clearTimeout(timer);
    };
    const fail = (error: ReqcastError) => {
      decided();
      stream.destroy();
      // With the answer's headers on it, it cannot become another one.
      if (begun) response.destroy();
      reject(error);
    };
    proxy.on('error', (cause) => fail(failure('TARGET_FAILED', `failed (${cause.message})`, cause)));
    stream.once('close', () => {
      if (!begun) fail(failure('TARGET_FAILED', 'closed the connection'));
    });
    proxy.on('proxyRes', (answer) => {
      decided();
      if (response.headersSent || (answer.statusCode as number) < 200) {
        const when = response.headersSent ? ', after somebody else did' : '';
        fail(failure('TARGET_FAILED', `answered with status ${answer.statusCode}${when}`));
        return;
      }
      begun = true;
      bringBack(answer, response);
    });
    response.once('close', () => {
      decided();
      // Also after a whole answer: http-proxy still waits for the rest of the request's body then.
      stream.destroy();
      // And so would the client's next request, on the same connection.
      request.unpipe().resume();
      resolve();
    });
    try {
      body = bodyOf(request, headers);
      const agent = new OpenConnection(stream);
      // Of a DELETE or OPTIONS http-proxy says that it has no body, and sends it: the target would take it for a request.
      passage.method = undefined;
      const sending = {
        target: targetUrl(options.target),
        agent,
        buffer: body,
        method,
        selfHandleResponse: true,
      };
      proxy.web(passage, response, sending);
      // An upload may take longer than an answer.
      body.on('data', postpone);
    } catch (cause) {
      fail(
        cause instanceof ReqcastError
          ? cause
          : failure('TARGET_FAILED', 'cannot be asked for this URL', cause),
      );
    }
  });
}

/** Not by http-proxy, which ends the process over a status that Node takes from a target and lets no response have. */
function bringBack(answer: IncomingMessage, response: ServerResponse): void {
  const { statusCode = 0, statusMessage = '', headers } = answer;
  response.statusCode = statusCode;
  if (response.req.httpVersionMajor === 1 && !UNSPEAKABLE.test(statusMessage))
    response.statusMessage = statusMessage;
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !OF_THE_CONNECTION.has(name)) response.setHeader(name, value);
  // A pipe does not end when its source breaks off.
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
  });
  answer.pipe(response);
  // The first bytes take the head along; of an event stream they may take their time.
  setImmediate(() => {
    if (!response.headersSent && !response.destroyed) response.flushHeaders();
  });
}

function failure(code: 'TARGET_FAILED' | 'TARGET_TIMEOUT', what: string, cause?: unknown): ReqcastError {
  return new ReqcastError(code, `The target of a forwarded request ${what}.`, { cause });
}
