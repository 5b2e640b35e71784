import type { Socket } from 'node:net';
import { ReqcastError } from '../../protocol/errors.ts';
import type { Position } from '../../protocol/position.ts';
import type { Entry } from '../entry.ts';
import type { JournalSink } from '../journal.ts';
import { type Line, MAX_LINE_BYTES } from '../line.ts';
import type { Dispatch } from './dispatch.ts';
import { type Beat, jsonLine, type OwnerLine, parseOwnerLine, type Start } from './host-wire.ts';
import { LineReader } from './line-reader.ts';
import { seqOf } from './writers.ts';

export interface FollowerSettings {
  readonly sink: JournalSink;
  /** So many of the newest entries are asked for at first. */
  readonly history: number;
  readonly dispatch: Dispatch;
  /** The owner lives: it has sent an entry, or a beat. */
  readonly onHeard: () => void;
  /** All that the journal had when the owner first answered was handed to the sink. */
  readonly onCaughtUp: () => void;
}

/** This process's side of the link: takes the stream up where it was, whoever the owner is. */
export class Follower {
  readonly #settings: FollowerSettings;
  #position: Position | undefined;
  #socket: Socket | undefined;
  /** The owner has answered on this link. */
  #started = false;
  #head = 0;
  #connected = false;

  constructor(settings: FollowerSettings) {
    this.#settings = settings;
  }

  /** Whether there is an owner, and its journal can be written. */
  get connected(): boolean {
    return this.#connected;
  }

  /**
   * Resolves when the link is over; to whether the owner had answered.
   *
   * @throws what the owner said that cannot be understood, which ends the link too
   */
  async follow(socket: Socket): Promise<boolean> {
    const { dispatch, history } = this.#settings;
    const reader = new LineReader(MAX_LINE_BYTES);
    this.#socket = socket.unref();
    this.#started = false;
    let puzzle: Error | undefined;
    const over = new Promise((resolve) => socket.on('close', resolve));
    socket.on('data', (piece) => {
      try {
        const lines = reader.push(piece);
        if (!lines) throw new Error('a line is too long');
        this.#hear(lines);
      } catch (error) {
        const { message } = error as Error;
        puzzle = new Error(`the process that owns it is not understood: ${message}`, { cause: error });
        socket.destroy();
      }
    });
    socket.write(jsonLine({ since: this.#position ?? null, history, from: dispatch.writer }));
    await over;
    dispatch.end();
    this.#connected = false;
    if (puzzle) throw puzzle;
    return this.#started;
  }

  end(): void {
    this.#socket?.destroy();
  }

  #hear(lines: readonly string[]): void {
    const told: Line[] = [];
    for (const text of lines) {
      const said = parseOwnerLine(text);
      if (said?.kind === 'entry') told.push(said.line);
      else {
        this.#take(told.splice(0));
        if (said) this.#heed(said);
      }
    }
    this.#take(told);
  }

  #heed(said: Exclude<OwnerLine, { kind: 'entry' }>): void {
    if (said.kind === 'start') this.#start(said.start);
    else if (said.kind === 'beat') this.#beat(said.beat);
    else if (!this.#started) throw new Error(said.message);
    else {
      const message = `The owner of the journal refused an entry, which is lost: ${said.message}`;
      this.#settings.sink.fault(new ReqcastError(said.code, message));
    }
  }

  #start(start: Start): void {
    const { dispatch, sink } = this.#settings;
    if (start.anew) {
      this.#position = start.at;
      sink.reset(start.at);
      // What was passed over is not seen any more.
      dispatch.settle(start.stored);
    }
    if (!this.#started) {
      this.#started = true;
      this.#connected = true;
      this.#head = start.head;
      dispatch.begin(start, (text) => this.#socket?.write(text));
    }
    this.#caughtUp();
  }

  #beat({ connected, accepted }: Beat): void {
    const { dispatch, onHeard } = this.#settings;
    onHeard();
    this.#connected = connected;
    if (accepted !== undefined) dispatch.settle(accepted);
    // The owner has reported it, and it may last.
    if (!connected) dispatch.release();
  }

  #take(lines: readonly Line[]): void {
    if (lines.length === 0) return;
    const { dispatch, onHeard, sink } = this.#settings;
    let own = 0;
    const entries = lines.map(({ epoch, entry }) => {
      this.#advance(epoch, entry.offset);
      own = seqOf(entry, dispatch.writer) ?? own;
      return bare(entry);
    });
    onHeard();
    sink.deliver(entries);
    dispatch.settle(own);
    this.#caughtUp();
  }

  #advance(epoch: string, offset: number): void {
    if (epoch !== this.#position?.epoch || offset !== this.#position.offset + 1)
      throw new Error(`${epoch}:${offset} does not follow`);
    this.#position = { epoch, offset };
  }

  #caughtUp(): void {
    if (this.#position && this.#position.offset >= this.#head) this.#settings.onCaughtUp();
  }
}

/** Without the mark, which is the journal's own. */
export function bare({ origin, ...entry }: Entry): Entry {
  return entry;
}
