import type { Position } from '../protocol/position.ts';
import type { Held } from './held.ts';
import type { Format } from './sink.ts';

/** So many are remembered, each of 64 KiB at most: what differs more is not looked for in vain for long. */
const MAX_FRAMES = 8;

interface Made<Frame> {
  readonly seen: readonly Held[];
  readonly reached: Position;
  readonly frame: Frame | undefined;
}

/** The newest frames of a format. Groups that differ mostly see the same, and then share it. */
export class Frames<Frame> {
  readonly format: Format<Frame>;
  readonly #made: Made<Frame>[] = [];
  #next = 0;

  constructor(format: Format<Frame>) {
    this.format = format;
  }

  /** The frame for these entries; nothing if none is needed. */
  of(seen: readonly Held[], reached: Position): Frame | undefined {
    for (const made of this.#made) if (isSame(made, seen, reached)) return made.frame;
    const frame = this.format.encode(seen, reached);
    this.#made[this.#next] = { seen, reached, frame };
    this.#next = (this.#next + 1) % MAX_FRAMES;
    return frame;
  }
}

function isSame(made: Made<unknown>, seen: readonly Held[], { epoch, offset }: Position): boolean {
  if (made.seen.length !== seen.length || made.reached.offset !== offset || made.reached.epoch !== epoch)
    return false;
  // From the end, where what was cut differently differs first.
  for (let i = seen.length - 1; i >= 0; i--) if (made.seen[i] !== seen[i]) return false;
  return true;
}
