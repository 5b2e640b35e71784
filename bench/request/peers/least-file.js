import { createWriteStream } from 'node:fs';
import { recording } from '../recording.js';

/** Lines of JSON, those of a turn of the event loop in one write, and nobody is told. */
export function start(path) {
  const file = createWriteStream(path, { flags: 'a' });
  let lines = '';
  return recording((record) => {
    if (lines === '')
      setImmediate(() => {
        file.write(lines);
        lines = '';
      });
    lines += `${JSON.stringify(record)}\n`;
  });
}
