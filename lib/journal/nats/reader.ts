import type { Delivery } from './connection.ts';
import type { Line } from './line.ts';
import { deliveredMessage, type Message } from './message.ts';

const NANOSECONDS = 1_000_000;
/** A consumer whose process is gone is removed by the server after this. */
const FORGET_MS = 30_000;

/** What the server says of a request for more. */
const NO_MESSAGES = 404;
const TIMED_OUT = 408;
const HEARTBEAT = 100;

/** Reads a stream from a place on, as many messages as were asked for and not more, by a consumer of its own. */
export class Reader {
  readonly #line: Line;
  readonly #stream: string;
  readonly #inbox: string;
  readonly #receive: (message: Message) => void;
  readonly #over: () => void;
  #consumer: string | undefined;
  #left = 0;
  #ended = false;

  /**
   * @param receive called for each message, in order
   * @param over what was asked for has come, or the time for it is over
   */
  constructor(line: Line, stream: string, receive: (message: Message) => void, over: () => void) {
    this.#line = line;
    this.#stream = stream;
    this.#receive = receive;
    this.#over = over;
    this.#inbox = line.listen((delivery) => this.#take(delivery));
  }

  async start(sequence: number): Promise<void> {
    const config = {
      deliver_policy: 'by_start_sequence',
      opt_start_seq: sequence,
      ack_policy: 'none',
      mem_storage: true,
      inactive_threshold: FORGET_MS * NANOSECONDS,
    };
    const payload = { stream_name: this.#stream, config };
    const { name } = await this.#line.ask<{ name: string }>(
      `$JS.API.CONSUMER.CREATE.${this.#stream}`,
      payload,
    );
    this.#consumer = name;
    if (this.#ended) this.#remove();
  }

  /** Asks for so many more, when what was asked for before is over. Waits so long for those that are not there yet. */
  more(count: number, waitMs: number): void {
    this.#left = count;
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${this.#consumer}`;
    this.#line.send(subject, { batch: count, expires: waitMs * NANOSECONDS }, this.#inbox);
  }

  #take(delivery: Delivery): void {
    if (this.#ended) return;
    const message = deliveredMessage(delivery);
    if (!message) {
      this.#status(delivery);
      return;
    }
    this.#receive(message);
    if (--this.#left === 0) this.#over();
  }

  #status({ headers }: Delivery): void {
    if (headers?.code === HEARTBEAT) return;
    if (headers?.code === NO_MESSAGES || headers?.code === TIMED_OUT) this.#over();
    else this.#line.fail(new Error(`the consumer is gone: ${headers?.description || headers?.code}`));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#line.unlisten(this.#inbox);
    this.#remove();
  }

  #remove(): void {
    if (this.#consumer) this.#line.tell(`$JS.API.CONSUMER.DELETE.${this.#stream}.${this.#consumer}`);
  }
}
