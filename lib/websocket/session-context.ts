import type { Hub } from '../hub/hub.ts';
import type { Entrance } from './destination.ts';

/** What sessions on the hub share. */
export interface SessionContext {
  readonly hub: Hub;
  readonly audiences: readonly string[];
  readonly maxPatterns: number;
  readonly handshakeTimeoutMs: number;
}

/** True while what was written last has left for the kernel: only then may a sweep write more. */
export function isWritable({ ws, socket }: Entrance): boolean {
  return ws.readyState === ws.OPEN && !socket.writableNeedDrain;
}
