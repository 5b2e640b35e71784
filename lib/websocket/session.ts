import type { RawData } from 'ws';
import type { Restart, Sink } from '../hub/sink.ts';
import type { Subscriber } from '../hub/subscriber.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { assertPattern } from '../protocol/pattern.ts';
import type { Position } from '../protocol/position.ts';
import { byeLine, parseClientLine, positionLine, topicLine } from '../protocol/wire.ts';
import type { Entrance, Guest } from './destination.ts';
import { linesFormat } from './formats.ts';
import { isWritable, type SessionContext } from './session-context.ts';

/** One WebSocket that speaks `reqcast.v1`. */
export class Session implements Guest, Sink<Buffer> {
  readonly #entrance: Entrance;
  readonly #context: SessionContext;
  readonly #patterns = new Set<string>();
  readonly #deadline: NodeJS.Timeout;
  #audiences: readonly string[];
  #subscriber: Subscriber<Buffer> | undefined;
  #left = false;

  constructor(entrance: Entrance, context: SessionContext) {
    this.#entrance = entrance;
    this.#context = context;
    this.#audiences = context.audiences;
    const { ws, socket } = entrance;
    this.#deadline = setTimeout(
      () => ws.close(CloseCode.handshakeTimeout, 'no "since" line in time'),
      context.handshakeTimeoutMs,
    ).unref();
    ws.on('message', (data, isBinary) => this.#read(data, isBinary));
    ws.on('close', () => this.leave());
    socket.on('drain', () => this.#subscriber?.wake());
  }

  get writable(): boolean {
    return isWritable(this.#entrance);
  }

  /** Past `ws`, which would frame and write it for each: without compression it leaves nothing half sent between calls. */
  write(frame: Buffer): void {
    this.#entrance.socket.write(frame);
  }

  restart({ answer, position, topics, overMs }: Restart): void {
    const changed = topics.map((topic) => topicLine(topic)).join('');
    this.#say(positionLine(position, answer, overMs) + (changed && changed + positionLine(position)));
  }

  beat(): void {
    if (this.#subscriber && this.writable) this.#say(positionLine(this.#subscriber.position));
  }

  bye(afterMs: number): void {
    this.#say(byeLine(afterMs));
  }

  meet(audiences: readonly string[]): void {
    this.#audiences = audiences;
    if (this.#subscriber) this.#subscriber.audience = audiences;
  }

  stuck(): void {
    this.#entrance.ws.close(CloseCode.tooSlow, 'did not read for too long');
  }

  failed(): void {
    this.#entrance.ws.close(CloseCode.serverError, 'a fault inside the server');
  }

  leave(): void {
    clearTimeout(this.#deadline);
    this.#left = true;
    this.#subscriber?.leave();
  }

  #say(text: string): void {
    this.#entrance.ws.send(text);
  }

  #read(data: RawData, isBinary: boolean): void {
    if (this.#left) return;
    const problem = isBinary ? 'text messages only' : this.#obey(data.toString().split('\n'));
    if (problem !== undefined) this.#refuse(problem);
  }

  /** Does what the lines say, or tells what is wrong with them. */
  #obey(lines: readonly string[]): string | undefined {
    let since: { position?: Position } | undefined;
    let changed = false;
    for (const line of lines) {
      if (line === '') continue;
      const said = parseClientLine(line);
      if (!said) return `unknown line ${JSON.stringify(line.slice(0, 40))}`;
      const entered = this.#subscriber !== undefined || since !== undefined;
      if (entered === (said.kind === 'since')) return '"since" must come first, and once';
      if (said.kind === 'since') since = said;
      else if (said.kind !== 'heartbeat') {
        const problem = this.#change(said.kind, said.pattern);
        if (problem !== undefined) return problem;
        changed = true;
      }
    }
    if (since) this.#enter(since.position);
    else if (changed && this.#subscriber) this.#subscriber.interest = this.#interest();
    return undefined;
  }

  #change(kind: 'add' | 'remove', pattern: string): string | undefined {
    if (kind === 'remove') {
      this.#patterns.delete(pattern);
      return undefined;
    }
    try {
      assertPattern(pattern);
    } catch {
      return `malformed pattern ${JSON.stringify(pattern.slice(0, 40))}`;
    }
    this.#patterns.add(pattern);
    const most = this.#context.maxPatterns;
    return this.#patterns.size > most ? `more than ${most} patterns` : undefined;
  }

  #interest() {
    return { patterns: [...this.#patterns], audience: this.#audiences };
  }

  #enter(since: Position | undefined): void {
    clearTimeout(this.#deadline);
    this.#subscriber = this.#context.hub.add(linesFormat, this.#interest(), this);
    this.#subscriber.resume(since);
  }

  #refuse(problem: string): void {
    this.leave();
    // A reason has at most 123 bytes (RFC 6455, 5.5), and what is quoted may be anything.
    this.#entrance.ws.close(CloseCode.badLine, problem.replace(/[^ -~]/g, '?').slice(0, 120));
  }
}
