import { ReqcastError } from '../../protocol/errors.ts';
import type { Engine, Session } from '../engine/engine.ts';
import type { Connection } from './connection.ts';
import { Line } from './line.ts';
import { NatsSession } from './nats-session.ts';
import { refusal } from './refusal.ts';
import { Stream, type StreamSettings } from './stream.ts';
import { Writer } from './writer.ts';

/** Where the server does not say. Its default. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** Headers count too. */
const HEADER_BYTES = 1024;

/** A stream of NATS JetStream. */
export class NatsEngine implements Engine {
  readonly name = 'NATS';
  readonly #connection: Connection;
  readonly #settings: StreamSettings;
  readonly #writer = new Writer();
  #found = false;

  constructor(connection: Connection, settings: StreamSettings) {
    this.#connection = connection;
    this.#settings = settings;
  }

  get maxEntryBytes(): number {
    return (this.#connection.info?.max_payload ?? MAX_PAYLOAD_BYTES) - HEADER_BYTES;
  }

  async connect(): Promise<Session> {
    const line = new Line(this.#connection);
    const stream = new Stream(line, this.#settings);
    try {
      const ensure = () => stream.ensure(this.#found);
      const problem = await Promise.race([ensure(), line.reconnected.then(ensure)]);
      if (problem) throw unfit(stream.name, problem);
      this.#found = true;
      return new NatsSession(line, stream, this.#writer);
    } catch (error) {
      line.end();
      return refusal(error, stream.name);
    }
  }
}

function unfit(stream: string, problem: string): ReqcastError {
  const message = `The stream ${stream} of NATS does not fit the journal: ${problem}. Change it with: nats stream edit ${stream}.`;
  return new ReqcastError('JOURNAL_OPEN_FAILED', message);
}
