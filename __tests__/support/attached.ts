import http from 'node:http';
import { type AttachOptions, attach } from '../../lib/index.ts';
import { afterwards, listen } from './server.ts';

/** A server that answers everything with nothing, attached and open; closed after the test. */
export async function runAttached(options: AttachOptions = {}, handler?: http.RequestListener) {
  const server = http.createServer(handler ?? ((_request, response) => response.end()));
  const live = attach(server, { onError: () => {}, ...options });
  afterwards(() => live.close());
  const port = await listen(server);
  await live.ready;
  return { server, live, port, url: `ws://127.0.0.1:${port}/websockify` };
}
