import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attach } from 'reqcast';
import { createApp } from './app.js';
import { demoUser } from './people.js';

const OPTIONS = {
  routes: { '/plugins/:plugin/:entity/:id?/:action?': '/:plugin/:entity/:action' },
  announceLog: 'POST:/wok/logs',
  user: demoUser,
  message: (record, request) => {
    const said = request.sentence ?? `${record.method} ${record.url}`;
    return request.reason ? `${said}: ${request.reason}` : said;
  },
  onError: (error) => {
    // Answered below, by a socket of our own.
    if (error.code !== 'SOCKET_IN_USE') console.error(error.message);
  },
};

/** Starts the demo. Port 0 takes a free one. */
export async function start({ port = 8000, host = '127.0.0.1', cloneMs } = {}) {
  const server = createServer();
  const { live, directory } = await attachWithSocket(server);
  const { app, close: closeApp } = await createApp(live, { cloneMs });
  server.on('request', app);
  const close = async () => {
    closeApp();
    await live.close();
    if (server.listening) {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    }
    if (directory) await rm(directory, { recursive: true, force: true });
  };
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    await close();
    throw error;
  }
  const url = `http://localhost:${server.address().port}`;
  return { url, close, socketPath: live.socketPath };
}

/** The push server's usual socket; one of our own where another process has that. */
async function attachWithSocket(server) {
  const live = attach(server, { ...OPTIONS, pushServer: true });
  try {
    await live.ready;
    return { live };
  } catch (error) {
    await live.close();
    if (error.code !== 'SOCKET_IN_USE') throw error;
  }
  const directory = await mkdtemp(join(tmpdir(), 'reqcast-'));
  const own = attach(server, {
    ...OPTIONS,
    pushServer: { socketPath: join(directory, 'woknotifications') },
  });
  await own.ready;
  return { live: own, directory };
}

async function main() {
  const port = Number(process.env.PORT ?? 8000);
  const demo = await start({ port });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void demo.close());
  console.log(`
  reqcast demo    ${demo.url}

  1  Open it in two windows. In one, start a machine under "Virtual machines"; watch the other.
  2  Change something from outside:
     curl -H 'X-Demo-User: root' -H 'Content-Type: application/json' \\
       -d '{"name":"web-9"}' ${demo.url}/plugins/kimchi/vms
  3  Read the same feed on the UNIX socket:
     nc -U ${demo.socketPath}

  Ctrl+C ends it.
`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  main().catch((error) => {
    const taken = error.code === 'EADDRINUSE';
    console.error(taken ? `Port ${error.port} is taken. Try: PORT=${error.port + 1} npm start` : error);
    process.exitCode = 1;
  });
