import { eomDecoder } from '../protocol/eom.ts';
import type { Notification } from '../protocol/notification.ts';
import type { Answer } from '../protocol/wire.ts';
import { attempt } from './attempt.ts';

/** A topic as it came, with its data. */
export type Said = Pick<Notification, 'topic' | 'data'>;

/** Told of a whole frame and, on `reqcast.v1`, of the position that it reached. */
export type OnFrame = (said: readonly Said[], reached?: string) => void;
/** Told when the stream starts, and when it starts anew. Without an answer: on a wire that has none. */
export type OnStart = (answer?: Answer, from?: string) => void;
/** Told that the server is going. */
export type OnBye = (afterMs: number) => void;

/** Reads `reqcast.v1`: topics count when the position that closes their frame is there. */
export function lineReader(onFrame: OnFrame, onStart: OnStart, onBye: OnBye): (message: string) => void {
  let said: Said[] = [];

  function read(line: string): void {
    const [, at, word = '', rest] = /^(@?)(\S*) ?(.*)/s.exec(line) as string[];
    if (at) {
      if (rest) onStart(rest as Answer, word);
      else onFrame(said, word);
      said = [];
    } else if (word === 'bye') onBye(Number(rest));
    else if (/^[A-Z]/.test(word)) said.push({ topic: word, data: rest ? JSON.parse(rest) : undefined });
  }

  return (message) => {
    for (const line of message.split('\n')) attempt(() => read(line));
  };
}

/** Characters as bytes, one for each. */
export const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Reads the `base64` and `binary` wires: a stream of topics, cut anywhere. */
export function streamReader(onFrame: OnFrame): (message: string | ArrayBuffer) => void {
  const decoder = new TextDecoder();
  const split = eomDecoder();
  return (message) => {
    const bytes = typeof message === 'string' ? bytesOf(atob(message)) : message;
    onFrame(split(decoder.decode(bytes, { stream: true })).map((topic) => ({ topic })));
  };
}
