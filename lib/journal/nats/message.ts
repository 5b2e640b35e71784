import type { Delivery } from './connection.ts';

/** What a stream has at a place. */
export interface Message {
  readonly subject: string;
  readonly sequence: number;
  /** When the server stored it, in nanoseconds since 1970: too many digits for a number. */
  readonly time: string;
  /** That the sender gave it, if this is known. */
  readonly id: string | undefined;
  readonly text: string;
}

/** What `STREAM.MSG.GET` tells of a message. */
export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  readonly time: string;
  readonly data?: string;
}

export function storedMessage({ subject, seq, time, data = '' }: StoredMessage): Message {
  const text = Buffer.from(data, 'base64').toString();
  return { subject, sequence: seq, time: nanosecondsOf(time), id: undefined, text };
}

/**
 * The message that a consumer delivered. Where it lies in the stream is in the subject for the acknowledgement:
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>`, or, in some servers, with two
 * more tokens before the stream and more after the end.
 */
export function deliveredMessage({ subject, reply, data, headers }: Delivery): Message | undefined {
  const tokens = reply?.split('.') ?? [];
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return undefined;
  const shift = tokens.length === 9 ? 0 : 2;
  const sequence = Number(tokens[5 + shift]);
  const time = tokens[7 + shift] as string;
  const id = headers?.get('Nats-Msg-Id') || undefined;
  return { subject, sequence, time, id, text: Buffer.from(data).toString() };
}

/** @param time as in RFC 3339, with up to nine digits of a second */
export function nanosecondsOf(time: string): string {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  const seconds = Math.floor(Date.parse(time.replace(/\.\d+/, '')) / 1000);
  return `${seconds}${fraction.padEnd(9, '0')}`;
}
