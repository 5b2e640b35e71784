import { createServer } from 'node:http';
import pino from 'pino';
import { pinoHttp } from 'pino-http';
import { app } from '../app.js';

/** With pino's asynchronous destination and a buffer of the size that its documentation has. */
export function start(path) {
  const destination = pino.destination({ dest: path, sync: false, minLength: 4096 });
  const log = pinoHttp(
    {
      base: null,
      quietReqLogger: true,
      serializers: {
        req: ({ raw }) => ({
          method: raw.method,
          url: raw.url,
          user: raw.user,
          address: raw.socket.remoteAddress,
        }),
        res: ({ raw }) => ({ status: raw.statusCode }),
      },
      customSuccessMessage: ({ method, url }) => `${method} ${url}`,
    },
    destination,
  );
  return createServer((request, response) => {
    log(request, response);
    app(request, response);
  });
}
