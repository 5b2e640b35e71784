import { randomBytes } from 'node:crypto';
import type { Mark } from '../engine/engine.ts';
import { type Marker, markAt, markerOf, placeOf, type Segment, segmentOf } from './marker.ts';
import type { Message } from './message.ts';
import type { Extent, Stream } from './stream.ts';

/** Each time somebody else was faster. */
const MAX_TRIES = 100;
/** The first one serves, unless the stream is lost meanwhile. */
const MAX_MARKERS = 3;

/** The epoch that a stream is in: what the last of its markers says. */
export class Epoch {
  readonly #stream: Stream;
  #marker: (Segment & Pick<Marker, 'run'> & { readonly sequence: number; readonly time: string }) | undefined;
  #limits: Pick<Extent, 'maxMessages' | 'maxAgeMs'> = { maxMessages: 0, maxAgeMs: 0 };

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /**
   * Makes sure that a place is still a part of the history, and begins a new epoch if it is not, or if no place is known
   * and the server was started again since somebody last knew one.
   *
   * @param renew begins one in any case
   * @returns the end of the history
   */
  async look(known: Mark | undefined, renew: boolean): Promise<Mark> {
    let more = renew;
    let markers = 0;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const extent = await this.#stream.extent();
      const message = await this.#stream.lastMarker();
      if (message && message.sequence > extent.last.sequence) continue;
      const marker = message && markerOf(message);
      const { run } = this.#stream;
      const another = run !== undefined && run !== marker?.run;
      const lost = known ? marker && (await this.#isLost(known, marker, extent)) : another;
      if (marker && message && !more && !lost) {
        this.#limits = extent;
        this.see(message, marker);
        if (!another) {
          await this.moveOn(extent.last.sequence);
          return markAt(marker, extent.last);
        }
        await this.#stream.addMarker(continuing(marker, run), message.sequence);
      } else if (
        await this.#stream.addMarker({ ...beginning(known, marker, extent), run }, message?.sequence ?? 0)
      ) {
        more = false;
        if (++markers === MAX_MARKERS)
          throw new Error('the stream does not keep what is added to it (see the log of the NATS server)');
      }
    }
    throw new Error('processes begin one epoch after the other');
  }

  async #isLost(known: Mark, marker: Marker, { last }: Extent): Promise<boolean> {
    // Who began another one later knew that what had been before may be lost.
    if (marker.epoch !== known.epoch) return known.era >= marker.era;
    const { sequence, time } = placeOf(known);
    if (sequence === last.sequence) return time !== last.time;
    if (sequence > last.sequence) return true;
    const there = await this.#stream.message({ seq: sequence });
    if (there) return there.time !== time;
    // Too old and removed, or removed by hand.
    return sequence >= (await this.#stream.extent()).first;
  }

  /** The epoch that it is in, and where its last marker lies, as far as is known. */
  get current(): { readonly epoch: string; readonly sequence: number } | undefined {
    return this.#marker;
  }

  /** A marker was read. */
  see({ sequence, time }: Message, { epoch, era, base, run }: Marker): void {
    this.#marker = { epoch, era, base, run, sequence, time };
  }

  /** Repeats the last marker at the end of the stream, if it would be removed before long. */
  async moveOn(last: number): Promise<void> {
    const { maxMessages, maxAgeMs } = this.#limits;
    if (!this.#marker) return;
    const { run, sequence, time } = this.#marker;
    const ageMs = Date.now() - Number(time.slice(0, -6));
    if (last - sequence < maxMessages / 2 && ageMs < maxAgeMs / 2) return;
    await this.#stream.addMarker(continuing(this.#marker, run), sequence);
  }
}

/** The same epoch, from further on. */
function continuing({ epoch, era, base }: Segment, run: string | undefined): Marker {
  return { epoch, era, base: base + 1, before: { epoch, era, base }, run };
}

/** A new epoch, whose offsets go on from the highest that is known: a smaller offset is an older entry. */
function beginning(known: Mark | undefined, last: Marker | undefined, extent: Extent): Marker {
  const end = extent.last.sequence;
  const same = known && placeOf(known).sequence <= end ? segmentOf(known) : undefined;
  const before = last ? { epoch: last.epoch, era: last.era, base: last.base } : same;
  const old = before?.base ?? 0;
  const ahead = Math.max(0, (known?.offset ?? 0) - (end - old));
  return {
    epoch: randomBytes(9).toString('base64url'),
    era: Math.max(Date.now(), (known?.era ?? 0) + 1, (last?.era ?? 0) + 1),
    base: old + 1 - ahead,
    before,
  };
}
