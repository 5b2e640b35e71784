import { createServer } from 'node:http';

export const TOPIC = 'POST:/bench/users';

/** What a peer that has no topics of its own sends. */
export const TEXT = `${TOPIC} {"m":"\x7f"}`;

/** The app beside which the WebSockets are. */
export const app = () => createServer((_request, response) => response.end('ok'));

export async function listen(server) {
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return server.address().port;
}
