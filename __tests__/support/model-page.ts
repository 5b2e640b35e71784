import { EventEmitter } from 'node:events';
import type { Position } from '../../lib/protocol/position.ts';
import type { Entrance } from '../../lib/websocket/destination.ts';
import { Session } from '../../lib/websocket/session.ts';
import { payloadOf } from './frame.ts';
import type { ModelServer } from './model-server.ts';
import type { PageStep } from './model-steps.ts';

/** One page: what it knows, and its connection if it has one. */
export class Page {
  readonly patterns = new Set(['POST:/a']);
  audience: string[] = [];
  position: Position | undefined;
  readonly #server: ModelServer;
  #session: Session | undefined;
  #ws: { readyState: number } | undefined;
  #socket: (EventEmitter & { writableNeedDrain: boolean }) | undefined;
  /** Up to where this connection was served. */
  #served: Position;
  #answers = 0;

  constructor(server: ModelServer) {
    this.#server = server;
    this.#served = this.#head;
  }

  get connected(): boolean {
    return this.#ws !== undefined;
  }

  get served(): Position {
    return this.#served;
  }

  get #head(): Position {
    return { epoch: this.#server.epoch, offset: this.#server.head };
  }

  get #takes(): boolean {
    return this.#socket !== undefined && !this.#socket.writableNeedDrain;
  }

  obey(step: PageStep): void {
    if (step.act === 'connect') this.connect();
    else if (step.act === 'disconnect') this.disconnect();
    else if (step.act === 'toggle') this.toggle(step.pattern);
    else if (step.act === 'meet') this.meet(step.audience);
    else this.stall(step.act === 'stall');
  }

  /** If it is not connected. */
  connect(): void {
    if (this.connected) return;
    const since = this.position;
    const ws = {
      OPEN: 1,
      readyState: 1,
      close: (code: number, reason: string) => {
        throw new Error(`closed with ${code} ${reason}`);
      },
    };
    const socket = Object.assign(new EventEmitter(), {
      writableNeedDrain: false,
      cork() {},
      uncork() {},
      write: (frame: Buffer) => this.#read(payloadOf(frame), since),
    });
    const entrance = { ws, socket, protocol: 'reqcast.v1' } as unknown as Entrance;
    const context = { hub: this.#server.hub, maxPatterns: 99, handshakeTimeoutMs: 1000 };
    this.#session = new Session(entrance, context, this.audience);
    this.#ws = ws;
    this.#socket = socket;
    this.#answers = 0;
    const said = since ? `${since.epoch}:${since.offset}` : '-';
    this.#say([`since ${said}`, ...[...this.patterns].map((pattern) => `+${pattern}`)].join('\n'));
    if (this.#answers !== 1) throw new Error(`${this.#answers} answers`);
    this.settled();
  }

  disconnect(): void {
    const ws = this.#ws;
    this.#ws = undefined;
    this.#socket = undefined;
    if (!ws) return;
    ws.readyState = 3;
    this.#session?.closed();
  }

  stall(stalled: boolean): void {
    this.beat();
    if (!this.#socket) return;
    this.#socket.writableNeedDrain = stalled;
    // What it lacks follows in a sweep.
    if (!stalled) this.#socket.emit('drain');
  }

  toggle(pattern: string): void {
    const adding = !this.patterns.has(pattern);
    // What a connection that takes data lacks comes by the old interest, in the course of this.
    if (this.#ws) this.#say(`${adding ? '+' : '-'}${pattern}`);
    this.settled();
    if (adding) this.patterns.add(pattern);
    else this.patterns.delete(pattern);
  }

  /** It was authorized again. What it lacks is for who it is from here on. */
  meet(audience: string[]): void {
    this.beat();
    this.audience = audience;
    if (this.#ws) this.#session?.meet(audience);
  }

  /** It is told where it is: what it does not see passes it by without a word. */
  beat(): void {
    if (this.#ws) this.#session?.beat();
  }

  /** After a sweep: a connection that takes data was served up to the head. */
  settled(): void {
    if (!this.#takes) return;
    expect(this.#served.epoch).toBe(this.#server.epoch);
    expect(this.#server.seen(this, this.#served.offset, this.#server.head)).toEqual([]);
    this.#served = this.#head;
  }

  #say(text: string): void {
    if (this.#ws) this.#session?.hear(Buffer.from(text), false);
  }

  #read(text: string, since: Position | undefined): void {
    // Nothing is written to one that takes nothing.
    expect(this.#takes).toBe(true);
    const lines = text.split('\n').filter(Boolean);
    const [at, answer] = (lines[0] as string).split(' ') as [string, string | undefined];
    if (lines[0]?.startsWith('@') && answer) {
      this.#start(answer, at, lines.slice(1), since);
      return;
    }
    const reached = positionOf(lines.at(-1) as string);
    const said = lines.slice(0, -1).map((line) => JSON.parse(line.slice(line.indexOf(' '))));
    expect(reached.epoch).toBe(this.#served.epoch);
    const due = this.#server.seen(this, this.#served.offset, reached.offset);
    expect(said).toEqual(due.map(({ data }) => data));
    this.#arrive(reached);
  }

  #start(answer: string, at: string, lines: string[], since: Position | undefined): void {
    const first = ++this.#answers === 1;
    const from = first ? since : this.#served;
    expect(answer).toBe(this.#server.answerTo(from));
    // Later on what can be replayed is, without a word.
    if (!first) expect(['changed', 'resync']).toContain(answer);
    expect(positionOf(at)).toEqual(answer === 'replayed' ? since : this.#head);
    if (answer === 'changed' && from) {
      const topics = this.#server.seen(this, from.offset, this.#server.head).map(({ topic }) => topic);
      expect(lines.slice(0, -1).sort()).toEqual([...new Set(topics)].sort());
      if (lines.length > 0) expect(lines.at(-1)).toBe(at);
    } else expect(lines).toEqual([]);
    this.#arrive(positionOf(at));
  }

  #arrive(position: Position): void {
    this.#served = position;
    this.position = position;
  }
}

function positionOf(line: string): Position {
  const [epoch, offset] = line.slice(1).split(':') as [string, string];
  return { epoch, offset: Number(offset) };
}
