import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import morgan from 'morgan';
import { app } from '../app.js';

/** Lines of JSON by a function, the form of a format that morgan need not compile, to a stream. */
export function start(path) {
  const format = (tokens, request, response) =>
    JSON.stringify({
      time: Date.now(),
      method: request.method,
      url: request.url,
      status: response.statusCode,
      responseTime: tokens['response-time'](request, response),
      user: request.user,
      address: tokens['remote-addr'](request),
      message: `${request.method} ${request.url}`,
    });
  const log = morgan(format, { stream: createWriteStream(path, { flags: 'a' }) });
  return createServer((request, response) => {
    log(request, response, () => app(request, response));
  });
}
