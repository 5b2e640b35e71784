import { connect, createServer, type Server, type Socket } from 'node:net';
import createDebug from 'debug';
import { type Bound, bind } from '../../unix/bind.ts';
import { claim, NOBODY_LISTENS } from '../../unix/claim.ts';

const debug = createDebug('reqcast:host');

/** What the user can do about a path that is refused. */
export const REMEDY = 'give hostJournal another socketPath';

/** Each holds a file descriptor, and a process has not many more of them by default. */
const MAX_CONNECTIONS = 1024;

/** Nobody listens: nobody has come yet, or who did was killed. */
const VACANT = ['ENOENT', ...NOBODY_LISTENS];

/** Somebody else takes the seat just now, or cannot take in more at once. */
const BUSY = ['SOCKET_IN_USE', 'EEXIST', 'EAGAIN'];

/** The socket. Who has it owns the journal: one of all who want to, and nobody after its death. */
export class Seat {
  readonly #server: Server;
  readonly #bound: Bound;

  private constructor(server: Server, bound: Bound) {
    this.#server = server;
    this.#bound = bound;
  }

  /**
   * @param mode the permissions of the socket
   * @param receive gets each connection; it may have to wait
   * @throws the system's error or that of `claim`; `isBusy` says whether another has the seat
   */
  static async take(path: string, mode: number, receive: (socket: Socket) => void): Promise<Seat> {
    await claim(path, REMEDY);
    // A program that ends its half after a question still wants the answer.
    const server = createServer({ allowHalfOpen: true }, (socket) => receive(heeded(socket).unref())).unref();
    server.maxConnections = MAX_CONNECTIONS;
    const bound = await bind(server, path, mode);
    server.on('error', (error) => debug('%s', error.message));
    return new Seat(server, bound);
  }

  /** Nobody is received any more, and another may take it. Connections stay. */
  leave(): void {
    this.#bound.release();
    this.#server.close();
  }
}

/** A connection to whoever has the seat; nothing if nobody has. */
export function dial(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const failed = (error: NodeJS.ErrnoException) =>
      VACANT.includes(error.code ?? '') ? resolve(undefined) : reject(error);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve(heeded(socket));
    });
  });
}

/** Whether it is to be tried again in a moment. */
export function isBusy(error: unknown): boolean {
  return BUSY.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Its end says all that its error does. */
function heeded(socket: Socket): Socket {
  return socket.on('error', (error) => debug('a connection failed: %s', error.message));
}
