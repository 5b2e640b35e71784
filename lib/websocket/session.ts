import type { RawData } from 'ws';
import type { Restart } from '../hub/sink.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { assertPattern } from '../protocol/pattern.ts';
import type { Position } from '../protocol/position.ts';
import { byeLine, parseClientLine, positionLine, topicLine } from '../protocol/wire.ts';
import type { Entrance } from './destination.ts';
import { linesFormat } from './formats.ts';
import { textFrame } from './frame.ts';
import { HubSession, type SessionContext } from './hub-session.ts';

/** One WebSocket that speaks `reqcast.v1`. */
export class Session extends HubSession {
  readonly #context: SessionContext;
  #audience: readonly string[];
  /** Until it has said `since`. */
  #deadline: NodeJS.Timeout | undefined;
  /** How often `since` was heard, and of how many of them the client knows. */
  #heard = 0;
  #told = 1;

  constructor(entrance: Entrance, context: SessionContext, audience: readonly string[]) {
    super(entrance);
    this.#context = context;
    this.#audience = audience;
    this.#deadline = setTimeout(() => this.#late(), context.handshakeTimeoutMs).unref();
  }

  #late(): void {
    this.ws.close(CloseCode.handshakeTimeout, 'no "since" line in time');
  }

  /** Past `ws`, which would frame and write it for each: without compression it leaves nothing half sent between calls. */
  write(frame: Buffer): void {
    this.socket.write(frame);
  }

  restart({ answer, position, topics, overMs }: Restart): void {
    const changed = topics.map((topic) => topicLine(topic)).join('');
    this.#say(positionLine(position, answer, overMs) + (changed && changed + positionLine(position)));
  }

  beat(): void {
    if (!this.subscriber || !this.writable) return;
    this.subscriber.expect();
    if (!this.#tellHeard()) this.#say(positionLine(this.subscriber.position));
  }

  /** Lets the client know how much of what it said counts, once it was sent what it asked for. False if it knows. */
  #tellHeard(): boolean {
    if (!this.subscriber || this.#heard <= this.#told || !this.writable || this.subscriber.owes) return false;
    this.#told = this.#heard;
    this.#say(positionLine(this.subscriber.position, this.#heard));
    return true;
  }

  bye(afterMs: number): void {
    this.#say(byeLine(afterMs));
  }

  override meet(audience: readonly string[]): void {
    this.#audience = audience;
    super.meet(audience);
  }

  override leave(): void {
    this.#endDeadline();
    super.leave();
  }

  #endDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #say(text: string): void {
    if (this.ws.readyState === this.ws.OPEN) this.write(textFrame(text));
  }

  hear(data: RawData, isBinary: boolean): void {
    if (this.ws.readyState !== this.ws.OPEN) return;
    const problem = isBinary ? 'text messages only' : this.#obey(data.toString().split('\n'));
    if (problem !== undefined) this.#refuse(problem);
  }

  /** Does what the lines say, or tells what is wrong with them. */
  #obey(lines: readonly string[]): string | undefined {
    let since: { position?: Position } | undefined;
    let patterns: Set<string> | undefined;
    for (const line of lines) {
      if (line === '') continue;
      const said = parseClientLine(line);
      if (!said) return `unknown line ${JSON.stringify(line.slice(0, 40))}`;
      const begun = since !== undefined || patterns !== undefined;
      if (said.kind === 'since' ? begun : !begun && !this.subscriber) return '"since" must come first';
      if (said.kind === 'since') {
        since = said;
        patterns = new Set();
      } else if (said.kind !== 'heartbeat') {
        patterns ??= new Set(this.subscriber?.interest?.patterns);
        const problem = this.#change(patterns, said.kind, said.pattern);
        if (problem !== undefined) return problem;
      }
    }
    if (since) this.#heard++;
    if (!patterns) return undefined;
    if (!this.subscriber) this.#enter(since?.position, [...patterns]);
    else {
      const before = new Set(this.subscriber.interest?.patterns);
      const added = since ? [...patterns].filter((pattern) => !before.has(pattern)) : [];
      this.subscriber.want(this.#interest([...patterns]), added, since?.position);
      this.#tellHeard();
    }
    return undefined;
  }

  #change(patterns: Set<string>, kind: 'add' | 'remove', pattern: string): string | undefined {
    if (kind === 'remove') {
      patterns.delete(pattern);
      return undefined;
    }
    try {
      assertPattern(pattern);
    } catch {
      return `malformed pattern ${JSON.stringify(pattern.slice(0, 40))}`;
    }
    patterns.add(pattern);
    const most = this.#context.maxPatterns;
    return patterns.size > most ? `more than ${most} patterns` : undefined;
  }

  #interest(patterns: readonly string[]) {
    return { patterns, audience: this.#audience };
  }

  #enter(since: Position | undefined, patterns: readonly string[]): void {
    this.#endDeadline();
    this.subscriber = this.#context.hub.add(linesFormat, this.#interest(patterns), this);
    // The answer and what was missed leave in one write.
    this.socket.cork();
    this.subscriber.resume(since);
    this.socket.uncork();
  }

  #refuse(problem: string): void {
    this.leave();
    // A reason has at most 123 bytes (RFC 6455, 5.5), and what is quoted may be anything.
    this.ws.close(CloseCode.badLine, problem.replace(/[^ -~]/g, '?').slice(0, 120));
  }
}
