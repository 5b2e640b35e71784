import { encodeEom } from '../protocol/eom.ts';
import type { Format } from './sink.ts';

/** The byte stream of WoK's push server: `topic//EOM//topic//EOM//…`, UTF-8, no topic cut in two. */
export const eomFormat: Format<Buffer> = {
  name: 'eom',
  encode(seen) {
    const topics = seen.flatMap(({ entry }) => entry.topic ?? []);
    return topics.length === 0 ? undefined : Buffer.from(encodeEom(topics));
  },
};
