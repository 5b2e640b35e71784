/** Longer than any command; what is typed beyond it is not taken. */
const MAX_LENGTH = 200;
const MAX_HISTORY = 50;

const ESC = '\x1b';
/** An arrow or the like, or one character. */
const KEYS = new RegExp(`${ESC}(?:\\[[\\d;]*[@-~]|O.)?|[^]`, 'gu');
const CTRL = { c: '\x03', d: '\x04', l: '\x0c', u: '\x15' };
const UP = `${ESC}[A`;
const DOWN = `${ESC}[B`;
const CLEAR = `${ESC}[H${ESC}[2J`;

/**
 * Typed keys become lines: what the terminal's driver does in a kernel. On the wire is nothing but bytes, so echo,
 * Backspace and the arrows are this end's work.
 *
 * @returns `readLine(prompt, history)`; rejects when the stream ends
 */
export function lineReader(stream, write) {
  const keys = keysOf(stream);
  return async (prompt, history = []) => {
    let line = '';
    let at = history.length;
    const replace = (text) => {
      write('\b \b'.repeat(line.length) + text);
      line = text;
    };
    write(prompt);
    for (;;) {
      const { value: key, done } = await keys.next();
      if (done) throw new Error('The line hung up.');
      if (key === '\r') break;
      if (key === CTRL.d && line === '') {
        line = 'exit';
        break;
      }
      if (key === CTRL.c) {
        write('^C\n');
        return '';
      }
      if (key === CTRL.l) write(CLEAR + prompt + line);
      else if (key === CTRL.u) replace('');
      else if (key === '\x7f' || key === '\b') replace(line.slice(0, -1));
      else if (key === UP && at > 0) replace(history[--at]);
      else if (key === DOWN && at < history.length) replace(history[++at] ?? '');
      else if (isPrintable(key) && line.length < MAX_LENGTH) {
        line += key;
        write(key);
      }
    }
    write('\n');
    if (line !== '' && line !== history.at(-1)) history.push(line);
    if (history.length > MAX_HISTORY) history.shift();
    return line;
  };
}

async function* keysOf(stream) {
  stream.setEncoding('utf8');
  for await (const text of stream) yield* text.match(KEYS);
}

/** One cell wide, one unit long: all that Backspace above can take back. */
function isPrintable(key) {
  return /^[ -~\u00a1-\u02ff\u0370-\u05ff]$/.test(key);
}
