import { HEADER_BYTES } from '../protocol/frame.ts';

/** What one read takes: four times what Node's own takes, so that a fast target costs a quarter of the turns. */
export const READ_BYTES = 256 * 1024;

/**
 * Where the bytes of a target come in: always in the same place, for the socket is to read on only when what came
 * before is done with. Pause it in `onBytes` if that is later.
 */
export class Inlet {
  onBytes: (length: number) => void = () => {};

  /** What came, with room for the header of a frame before it. Pages of it that are never read into cost nothing. */
  readonly buffer = Buffer.allocUnsafeSlow(HEADER_BYTES + READ_BYTES);

  /** For `net.connect`. */
  readonly onread = {
    buffer: this.buffer.subarray(HEADER_BYTES),
    callback: (length: number): boolean => {
      this.onBytes(length);
      return true;
    },
  };
}
