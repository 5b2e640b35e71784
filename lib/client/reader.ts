import { eomDecoder } from '../protocol/eom.ts';
import type { Notification } from '../protocol/notification.ts';
import type { Position } from '../protocol/position.ts';
import type { Answer } from '../protocol/wire.ts';
import { bytesOf } from './bytes.ts';
import type { Identity } from './identity.ts';

/** A topic as it came, with its data. */
export type Said = Pick<Notification, 'topic' | 'data' | 'own'>;

/** Told of a whole frame and of the position that it reached. */
export type OnFrame = (said: readonly Said[], reached: string) => void;
/** Told when the stream starts, and when it starts anew. */
export type OnStart = (answer: Answer, from: string, overMs?: number) => void;
/** Told that the server is going. */
export type OnBye = (afterMs: number) => void;

/** Reads `reqcast.v1`: topics count when the position that closes their frame is there. */
export function lineReader(
  onFrame: OnFrame,
  onStart: OnStart,
  onBye: OnBye,
  self: Identity,
): (line: string) => void {
  let said: Said[] = [];
  let marked = false;
  return (line) => {
    const [, sign, word = '', rest = ''] = /^([@~]?)(\S*) ?(.*)/s.exec(line) as string[];
    // A mark is about the next line and no other.
    const own = marked || undefined;
    marked = sign === '~' && word === self.mark;
    if (sign === '@') {
      const [answer, overMs] = rest.split(' ');
      if (answer) onStart(answer as Answer, word, +(overMs as string));
      else onFrame(said, word);
      said = [];
    } else if (word === 'bye') onBye(+rest);
    else if (/^[A-Z]/.test(word)) said.push({ topic: word, data: rest ? JSON.parse(rest) : undefined, own });
  };
}

/** The lines of a message; on the `base64` and `binary` wires, those that would say what the stream's piece says. */
export function linesOf(isStream: boolean): (message: string | ArrayBuffer) => string[] {
  if (!isStream) return (message) => (message as string).split('\n');
  const decoder = new TextDecoder();
  const split = eomDecoder();
  return (message) => {
    const bytes = typeof message === 'string' ? bytesOf(atob(message)) : message;
    return [...split(decoder.decode(bytes, { stream: true })), '@'];
  };
}

/** What the server wrote is taken at its word. */
export function positionOf(text: string | undefined): Position | undefined {
  if (!text) return undefined;
  const [epoch, offset] = text.split(':') as [string, string];
  return { epoch, offset: +offset };
}
