import { encodeEom } from '../protocol/eom.ts';
import type { Format } from './subscriber.ts';

/** The byte stream of WoK's push server. */
export const eomFormat: Format<Buffer> = {
  name: 'eom',
  encode(entries) {
    return Buffer.from(encodeEom(entries.map((entry) => entry.topic as string)));
  },
};
