import { eomFormat } from '../hub/eom-format.ts';
import type { Format } from '../hub/sink.ts';
import type { Entry } from '../journal/entry.ts';
import { positionLine, topicLine } from '../protocol/wire.ts';
import { textFrame } from './frame.ts';

/**
 * `reqcast.v1`: a line for each topic, closed by the position, as a whole WebSocket frame: made once for all who are
 * sent it, and one buffer to write.
 */
export const linesFormat: Format<Buffer> = {
  name: 'lines',
  encode(entries, reached) {
    let text = '';
    for (const entry of entries) text += lineOf(entry);
    return textFrame(text + positionLine(reached));
  },
};

const lineOf = (entry: Entry) => topicLine(entry.topic as string, entry.data, entry.client);

/** The stream of the push server, each piece in base64. */
export const base64Format: Format<Buffer> = {
  name: 'base64',
  encode(entries, reached) {
    const piece = eomFormat.encode(entries, reached);
    return piece && Buffer.from(piece.toString('base64'));
  },
};
