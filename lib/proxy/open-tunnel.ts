import type { LimitReason } from './limits.ts';

/** Which side ended the tunnel, and how. `closed`: this server did. */
export type TunnelReason =
  | 'client-closed'
  | 'client-failed'
  | 'target-closed'
  | 'target-failed'
  | 'invalid-payload'
  | 'closed'
  | LimitReason;

export interface TunnelEnd {
  readonly reason: TunnelReason;
  /** From the client to the target. */
  readonly bytesIn: number;
  /** From the target to the client. */
  readonly bytesOut: number;
}

/** A tunnel while it is open. */
export interface OpenTunnel {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Resolves when nothing is open any more; never rejects. */
  readonly ended: Promise<TunnelEnd>;
  /** Ends it from this side, politely first. */
  close(): void;
  /** Nothing passes any more; how the client is told is up to the caller. */
  leave(): void;
  /** Cuts it off. */
  destroy(): void;
}
