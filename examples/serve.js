import { fileURLToPath } from 'node:url';

/** Listens, and gives the address and the way to stop. An app that nothing is attached to has no `live`. */
export async function serve({ server, live, port }) {
  await live?.ready;
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: async () => {
      await live?.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Starts an example that was run directly, on PORT or 3000, and stops it on Ctrl-C. */
export async function runIfMain(moduleUrl, start) {
  if (process.argv[1] !== fileURLToPath(moduleUrl)) return;
  const { url, close } = await start({ port: Number(process.env.PORT ?? 3000) });
  console.log(`listening on ${url}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, close);
}
