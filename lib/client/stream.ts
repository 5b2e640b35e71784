import { bytesOf } from './bytes.ts';

/** The `base64` and `binary` wires as lines: what a message completed, and that this is all. */
export function streamReader(): (message: string | ArrayBuffer) => string[] {
  /** A piece may end inside a topic: what is still open is kept up to this many characters, then dropped. */
  const maxOpenLength = 65536;
  const decoder = new TextDecoder();
  let open = '';
  return (message) => {
    const bytes = typeof message === 'string' ? bytesOf(atob(message)) : message;
    const lines = (open + decoder.decode(bytes, { stream: true })).split('//EOM//');
    open = (lines.pop() as string).slice(-maxOpenLength);
    return [...lines, '@'];
  };
}
