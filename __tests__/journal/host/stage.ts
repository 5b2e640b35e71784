import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type HostJournalOptions, hostJournal } from '../../../lib/journal/host/host-journal.ts';
import { Recorder } from '../../contract/journal-contract.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { afterwards, until } from '../../support/server.ts';

/** A directory of the test's own, with the socket of its processes. */
export function stage() {
  const directory = temporaryDirectory();
  const socketPath = join(directory, 'host');
  const enter = (options: Partial<HostJournalOptions> = {}) => {
    const journal = hostJournal({ socketPath, ...options });
    afterwards(() => journal.close());
    return journal;
  };
  return {
    directory,
    socketPath,
    /** A process that shares the journal, not yet open. */
    enter,
    /** The same, open. */
    join: async (options: Partial<HostJournalOptions> = {}, history = 10_000) => {
      const sink = new Recorder();
      const journal = enter(options);
      await journal.open(sink, history);
      return { journal, sink };
    },
  };
}

/** Lines of JSON, said and heard. */
export interface Talk {
  readonly socket: Socket;
  readonly heard: Record<string, unknown>[];
  say(...lines: unknown[]): void;
  /** The first line heard that has this property. */
  hears(property: string): Promise<Record<string, unknown>>;
}

function talk(socket: Socket): Talk {
  const heard: Talk['heard'] = [];
  let open = '';
  socket.setEncoding('utf8').on('error', () => {});
  socket.on('data', (piece) => {
    const lines = (open + piece).split('\n');
    open = lines.pop() as string;
    heard.push(...lines.map((line) => JSON.parse(line)));
  });
  return {
    socket,
    heard,
    say: (...lines) => {
      for (const line of lines) socket.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
    },
    hears: (property) => until(() => heard.find((line) => property in line)),
  };
}

/** Any program at the socket. */
export async function knock(socketPath: string): Promise<Talk> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  afterwards(() => socket.destroy());
  await once(socket, 'connect');
  return talk(socket);
}

/** An owner of which the test says what it does. It answers each stream with this position, or what the test says. */
export async function puppet(
  socketPath: string,
  start: { epoch: string; offset: number },
  answer = (guest: Talk) => guest.say({ reset: start, head: start.offset }),
) {
  const guests: Talk[] = [];
  const server = createServer((socket) => {
    const guest = talk(socket);
    guests.push(guest);
    void guest.hears('since').then(() => answer(guest));
  });
  server.listen(socketPath);
  await once(server, 'listening');
  const die = () => {
    for (const { socket } of guests) socket.destroy();
    server.close();
  };
  afterwards(die);
  return { guests, die };
}
