/** The program of `child.ts`: a server with an attachment, in a process of its own, that does what its parent asks. */
import { readdirSync } from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import { type Attachment, type AttachOptions, attach, type Journal } from '../../lib/index.ts';
import { memoryJournal } from '../../lib/journal/memory.ts';
import type { Position } from '../../lib/protocol/position.ts';

/** What the parent can ask for; all of it can cross a process's border. */
export interface Served {
  /** Starts with these options; `at`: a port or the path of a UNIX socket. */
  start(options: AttachOptions, at: number | string): Promise<{ port: number }>;
  /** Announces `POST:/t/<n>` for each number, `topics` different ones, one each `everyMs`; 0: 50 in each turn of the loop. */
  publish(count: number, topics: number, everyMs: number): Promise<{ publishedAt: number[] }>;
  /** Another history begins. */
  lose(): void;
  measure(): Promise<Measure>;
}

export interface Measure {
  heapUsed: number;
  rss: number;
  /** Open connections of the HTTP server, upgraded ones too. */
  connections: number;
  /** Open files and sockets; where the system does not tell, 0. */
  descriptors: number;
  /** Characters and bytes that sockets hold because the other end does not read: in all, and the most of one. */
  unsent: number;
  mostUnsent: number;
  /** Codes of the faults that were reported. */
  faults: string[];
}

/** What a burst of requests announces at once. */
const TURN = 50;

const sockets = new Set<net.Socket>();
const faults: string[] = [];
let live: Attachment;
let count = 0;
let lose = () => {};

/** A journal in memory that can lose its history. */
function forgetfulJournal(): Journal {
  const journal = memoryJournal({ maxEntries: 16 });
  let shift = 0;
  return {
    open: async (sink, history) => {
      let position: Position = { epoch: '', offset: 0 };
      lose = () => {
        shift = position.offset;
        sink.reset({ epoch: `lost${shift}`, offset: 0 });
      };
      await journal.open(
        {
          ...sink,
          reset: (start) => sink.reset(start),
          deliver: (entries) => {
            position = { epoch: '', offset: entries.at(-1)?.offset as number };
            sink.deliver(entries.map((entry) => ({ ...entry, offset: entry.offset - shift })));
          },
        },
        history,
      );
    },
    append: (draft) => journal.append(draft),
    flush: () => journal.flush(),
    stats: () => journal.stats(),
    query: (query) => journal.query(query),
    close: () => journal.close(),
  };
}

const served: Served = {
  async start(options, at) {
    const server = http.createServer((_request, response) => response.end());
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    live = attach(server, {
      journal: forgetfulJournal(),
      authorize: () => true,
      onError: ({ code }) => faults.push(code),
      ...options,
    });
    await live.ready;
    await new Promise<void>((resolve) => server.listen(at, resolve));
    const address = server.address();
    return { port: typeof address === 'string' ? 0 : (address?.port as number) };
  },

  async publish(more, topics, everyMs) {
    const publishedAt: number[] = [];
    for (let i = 0; i < more; i++) {
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
      else if (i % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      publishedAt.push(Date.now());
      live.notify(`POST:/t/${count % topics}`, { n: count++, of: 'what happened' });
    }
    return { publishedAt };
  },

  lose: () => lose(),

  async measure() {
    // Twice: what the first finds dead may hold more that is.
    for (let i = 0; i < 2; i++) {
      global.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed, rss } = process.memoryUsage();
    const unsent = [...sockets].map(({ writableLength }) => writableLength);
    return {
      heapUsed,
      rss,
      connections: sockets.size,
      descriptors: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
      unsent: unsent.reduce((sum, length) => sum + length, 0),
      mostUnsent: Math.max(0, ...unsent),
      faults: faults.slice(-20),
    };
  },
};

process.on('message', async ({ id, name, args }: { id: number; name: keyof Served; args: never[] }) => {
  const value = await (served[name] as (...args: never[]) => unknown)(...args);
  process.send?.({ id, value });
});
// The parent is gone: so is what it wanted.
process.on('disconnect', () => process.exit());
