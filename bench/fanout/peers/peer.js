export const TOPIC = 'POST:/bench/users';

/** What a peer that has no topics of its own sends. */
export const TEXT = `${TOPIC} {"m":"\x7f"}`;

export async function listen(server) {
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return server.address().port;
}
