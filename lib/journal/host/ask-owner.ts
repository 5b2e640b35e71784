import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, ReqcastError } from '../../protocol/errors.ts';
import type { Entry } from '../entry.ts';
import { MAX_LINE_BYTES } from '../line.ts';
import type { Query } from '../query.ts';
import { jsonLine } from './host-wire.ts';
import { LineReader } from './line-reader.ts';
import { dial, isBusy } from './seat.ts';

/** A take-over is over sooner, and an owner that answers is heard more often. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 20;

/** What the owner of the journal finds, over a connection of its own: who reads slowly stops nothing else. */
export async function* askOwner(path: string, query: Query): AsyncGenerator<Entry> {
  const socket = await reach(path);
  let waits = false;
  // One that is not read is silent too.
  socket.setTimeout(PATIENCE_MS, () => waits && socket.destroy());
  const { from, to } = query;
  socket.write(
    jsonLine({
      query: {
        ...query,
        // A Date has no JSON of its own.
        ...(from !== undefined && { from: Number(from) }),
        ...(to !== undefined && { to: Number(to) }),
      },
    }),
  );
  try {
    const reader = new LineReader(MAX_LINE_BYTES);
    waits = true;
    for await (const piece of socket) {
      waits = false;
      for (const text of reader.push(piece as Buffer) ?? []) {
        const line = JSON.parse(text);
        if (line.end === true) return;
        if (line.error) throw new ReqcastError(line.error.code as ErrorCode, line.error.message);
        if (line.offset !== undefined) yield line;
      }
      waits = true;
    }
  } catch (cause) {
    if (cause instanceof ReqcastError) throw cause;
    throw unanswered(path, cause);
  } finally {
    socket.destroy();
  }
  throw unanswered(path);
}

async function reach(path: string): Promise<Socket> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    let cause: unknown;
    const socket = await dial(path).catch((error) => {
      if (!isBusy(error)) throw unanswered(path, error);
      cause = error;
      return undefined;
    });
    if (socket) return socket;
    if (performance.now() > until) throw unanswered(path, cause);
    await sleep(RETRY_MS);
  }
}

function unanswered(path: string, cause?: unknown): ReqcastError {
  const message = `No process that owns the journal at ${path} answered the query: ask again when one does.`;
  return new ReqcastError('JOURNAL_UNREACHABLE', message, { cause });
}
