export const TOPIC = 'POST:/bench/users';

/** What is sent with it: a mark to count. */
export const DATA = { m: '\x7f' };

/** What a peer that has no topics of its own sends. */
export const textOf = (data) => `${TOPIC} ${JSON.stringify(data)}`;
export const TEXT = textOf(DATA);

export async function listen(server) {
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return server.address().port;
}
