import { eomFormat } from '../hub/eom-format.ts';
import type { Format } from '../hub/sink.ts';
import { positionLine, topicLine } from '../protocol/wire.ts';
import { textFrame } from './frame.ts';

/**
 * `reqcast.v1`: a line for each topic, closed by the position, as a whole WebSocket frame: made once for all who are
 * sent it, and one buffer to write.
 */
export const linesFormat: Format<Buffer> = {
  name: 'lines',
  encode(seen, reached) {
    let text = '';
    for (const { entry, json } of seen) text += topicLine(entry.topic as string, json, entry.client);
    return textFrame(text + positionLine(reached));
  },
};

/** The stream of the push server, each piece in base64. */
export const base64Format: Format<Buffer> = {
  name: 'base64',
  encode(seen, reached) {
    const piece = eomFormat.encode(seen, reached);
    return piece && Buffer.from(piece.toString('base64'));
  },
};
