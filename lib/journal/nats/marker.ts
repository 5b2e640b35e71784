import type { Kept, Mark } from '../engine/engine.ts';
import type { Message } from './message.ts';

/**
 * A part of the stream in which offsets follow from sequences: offset = sequence - base. A marker begins it; the marker
 * itself has a sequence and is no entry.
 */
export interface Segment {
  readonly epoch: string;
  readonly era: number;
  readonly base: number;
}

/** What a marker says. */
export interface Marker extends Segment {
  /** The segment that it ends. With the same epoch it is but the marker that moves on, and nothing begins. */
  readonly before?: Segment | undefined;
  /** The run of the server in which somebody knew that nothing before is lost. */
  readonly run?: string | undefined;
}

/** The marker that is in a message, or nothing if it is none. */
export function markerOf({ text }: Message): Marker | undefined {
  try {
    const { epoch, era, base, before, run } = JSON.parse(text) as Marker;
    if (!isSegment({ epoch, era, base })) return undefined;
    return { epoch, era, base, before: before && isSegment(before) ? before : undefined, run };
  } catch {
    return undefined;
  }
}

function isSegment({ epoch, era, base }: Segment): boolean {
  return (
    typeof epoch === 'string' &&
    /^[\w-]{1,64}$/.test(epoch) &&
    Number.isSafeInteger(era) &&
    Number.isSafeInteger(base)
  );
}

export function isContinuation({ epoch, before }: Marker): boolean {
  return before?.epoch === epoch;
}

/**
 * A sequence and the time at which it was stored are the link: no server stores two messages at one place in one
 * nanosecond, and a copy of a stream has all that came before.
 */
export function markAt({ epoch, era, base }: Segment, place: { sequence: number; time: string }): Mark {
  return { epoch, era, offset: place.sequence - base, link: `${place.sequence}.${place.time}` };
}

export function placeOf({ link }: Mark): { sequence: number; time: string } {
  const [sequence, time = ''] = link.split('.');
  return { sequence: Number(sequence), time };
}

export function segmentOf(mark: Mark): Segment {
  const { epoch, era, offset } = mark;
  return { epoch, era, base: placeOf(mark).sequence - offset };
}

export function keptAt(segment: Segment, message: Message, json?: string): Kept {
  return { ...markAt(segment, message), ...(json !== undefined && { json }) };
}
