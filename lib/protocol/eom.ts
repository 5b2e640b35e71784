/** What ends each topic in the byte stream of WoK's push server and of the `base64` and `binary` wires. */
export const EOM = '//EOM//';

/** The piece of stream that carries these topics. */
export function encodeEom(topics: readonly string[]): string {
  return topics.map((topic) => topic + EOM).join('');
}

/** A stream's piece may end inside a topic: what is still open is kept up to this many characters, then dropped. */
const MAX_OPEN_LENGTH = 65536;

/** Joins pieces of the stream, cut anywhere: each call returns what its piece completed. */
export function eomDecoder(): (piece: string) => string[] {
  let open = '';
  return (piece) => {
    const topics = (open + piece).split(EOM);
    open = (topics.pop() as string).slice(-MAX_OPEN_LENGTH);
    return topics;
  };
}
