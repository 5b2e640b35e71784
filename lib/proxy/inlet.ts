/** What one read takes: four times what Node's own takes, so that a fast target costs a quarter of the turns. */
export const READ_BYTES = 256 * 1024;

/**
 * Where the bytes of a target come in: always in the same buffer, for the socket is to read on only when what came
 * before is done with. Pause it in `onBytes` if that is later.
 */
export class Inlet {
  onBytes: (bytes: Buffer) => void = () => {};

  /** For `net.connect`. */
  readonly onread = {
    // Pages of it that are never read into cost nothing.
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback: (length: number, buffer: Uint8Array): boolean => {
      this.onBytes((buffer as Buffer).subarray(0, length));
      return true;
    },
  };
}
