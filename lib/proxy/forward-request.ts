import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyServer } from 'http-proxy';
import { ReqcastError } from '../protocol/errors.ts';
import { bodyOf } from './body.ts';
import { OpenConnection, type PassageOptions, requestForTarget, targetUrl } from './passage.ts';

export interface ForwardRequestOptions extends PassageOptions {
  /** How long the target may take to begin its answer, in milliseconds. */
  answerTimeoutMs: number;
}

/** What concerns one connection only (RFC 9110, 7.6.1), and upgrades that are not WebSockets. */
const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'te', 'upgrade', 'http2-settings'];

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
    const { headers } = passage;
    for (const name of HOP_BY_HOP) delete headers[name];
    headers.connection = headers.connection?.toLowerCase() === 'close' ? 'close' : 'keep-alive';
    const proxy = createProxyServer();
    let begun = false;
    const late = () => fail(failure('TARGET_TIMEOUT', `did not answer within ${options.answerTimeoutMs} ms`));
    const timer = setTimeout(late, options.answerTimeoutMs).unref();
    const fail = (error: ReqcastError) => {
      clearTimeout(timer);
      stream.destroy();
      // With http-proxy's headers on it, it cannot become another answer.
      if (begun) response.destroy();
      reject(error);
    };
    proxy.on('error', (cause) => fail(failure('TARGET_FAILED', `failed (${cause.message})`, cause)));
    stream.once('close', () => {
      if (!begun) fail(failure('TARGET_FAILED', 'closed the connection'));
    });
    proxy.on('proxyRes', (answer) => {
      begun = true;
      clearTimeout(timer);
      // Between the target and us; http-proxy then puts what the client asked for.
      delete answer.headers.connection;
      delete answer.headers['keep-alive'];
      // http-proxy pipes, and a pipe does not end when its source breaks off.
      answer.once('close', () => {
        if (!answer.complete) response.destroy();
      });
    });
    response.once('close', () => {
      clearTimeout(timer);
      // Also after a whole answer: http-proxy still waits for the rest of the request's body then.
      stream.destroy();
      resolve();
    });
    try {
      const buffer = bodyOf(request, headers);
      const agent = new OpenConnection(stream);
      proxy.web(passage, response, { target: targetUrl(options.target), agent, buffer });
    } catch (cause) {
      fail(
        cause instanceof ReqcastError
          ? cause
          : failure('TARGET_FAILED', 'cannot be asked for this URL', cause),
      );
    }
  });
}

function failure(code: 'TARGET_FAILED' | 'TARGET_TIMEOUT', what: string, cause?: unknown): ReqcastError {
  return new ReqcastError(code, `The target of a forwarded request ${what}.`, { cause });
}
