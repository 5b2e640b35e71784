import { createServer } from 'node:http';
import { app } from './app.js';

/** The least that a request log can do: one object for each request, with our fields, given to `keep`. */
export function recording(keep) {
  return createServer((request, response) => {
    const startedAt = performance.now();
    response.on('close', () => {
      keep({
        time: Date.now(),
        method: request.method,
        url: request.url,
        status: response.statusCode,
        outcome: response.writableFinished ? 'completed' : 'aborted',
        durationMs: performance.now() - startedAt,
        user: request.user,
        address: request.socket.remoteAddress,
        message: `${request.method} ${request.url}`,
      });
    });
    app(request, response);
  });
}
