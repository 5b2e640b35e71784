import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** An open WebSocket, or one that is about to open, as `disconnect` is asked about it. */
export interface Connection {
  /** The upgrade request, with what `authorize` and its middleware left on it. */
  readonly request: IncomingMessage;
  /** What `authorize` gave; empty for `true`. */
  readonly audiences: readonly string[];
}

/** Who entered, and by which wire. */
export interface Entrance {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  /** The subprotocol agreed on; empty without one. */
  readonly protocol: string;
}

/** What a destination does with a WebSocket beside its own traffic. */
export interface Guest {
  /** The client's message; absent where it is read elsewhere. */
  hear?(data: RawData, isBinary: boolean): void;
  /** The WebSocket has closed. */
  closed?(): void;
  /** Called at each heartbeat. */
  beat(): void;
  /** The server is going: say so, and that the client may come back after so long. */
  bye(afterMs: number): void;
  /** It was authorized again, for these audiences. */
  meet(audiences: readonly string[]): void;
  /** From here on nothing passes, either way. Idempotent. */
  leave(): void;
}

/** Who is told what happens on a line. */
export interface LineKeeper {
  heard(data: RawData, isBinary: boolean): void;
  /** It answered a ping. */
  alive(): void;
  failed(error: Error): void;
  closed(): void;
}

/** What the endpoint itself does with a WebSocket, or with what stands in the place of one. */
export interface Line {
  /** Told of all that happens, once there is one. */
  visit: LineKeeper | undefined;
  readonly OPEN: number;
  readonly readyState: number;
  readonly isPaused: boolean;
  once(what: 'close', listener: () => void): unknown;
  ping(): void;
  close(code: number, why: string): void;
  terminate(): void;
}

/** Who was let in, and how to find out whether they still are. */
interface Welcome {
  /** Who was authorized. */
  readonly connection: Connection;
  /** Asks again. @throws Refusal, or what `authorize` throws */
  authorize(): Promise<Connection>;
  /** The client went away, or offered nothing in common, before it was opened or taken. */
  abandon?(): void;
}

/** Where a token leads. */
export interface Destination extends Welcome {
  /** The subprotocols it speaks; without any offered, none is agreed on. */
  readonly protocols: readonly string[];
  /** This one rather than any other, if it is offered. */
  readonly preferred?: string;
  /** The largest message taken from the client, in bytes. */
  readonly maxMessageBytes: number;
  /** How many messages are taken from the client; absent: any number. */
  readonly maxMessagesPerSecond?: number;
  open(entrance: Entrance): Guest;
}

/** Somebody else who takes the client's connection as it is, handshake and all. */
export interface Handover extends Welcome {
  readonly maxMessagesPerSecond?: undefined;
  take(socket: Duplex, head: Buffer): { readonly line: Line; readonly guest: Guest };
}

/** Where a request leads. */
export type Found = Destination | Handover;
