import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Hub } from '../hub/hub.ts';

/** What a destination says on a WebSocket beside its own traffic. */
export interface Guest {
  /** Called at each heartbeat. */
  beat(): void;
  /** The server is going: say so, and that the client may come back after so long. */
  bye(afterMs: number): void;
}

/** For wires that have no words of their own for it. */
export const silentGuest: Guest = { beat() {}, bye() {} };

/** Who entered, and by which wire. */
export interface Entrance {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  /** The subprotocol agreed on; empty without one. */
  readonly protocol: string;
}

/** What sessions on the hub share. */
export interface SessionContext {
  readonly hub: Hub;
  readonly audience: readonly string[];
  readonly maxPatterns: number;
  readonly handshakeTimeoutMs: number;
}

/** True while what was written last has left for the kernel: only then may a sweep write more. */
export function isWritable({ ws, socket }: Entrance): boolean {
  return ws.readyState === ws.OPEN && !socket.writableNeedDrain;
}
