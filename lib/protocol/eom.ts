/** What ends each topic in the byte stream of WoK's push server and of the `base64` and `binary` wires. */
export const EOM = '//EOM//';

/** The piece of stream that carries these topics. */
export function encodeEom(topics: readonly string[]): string {
  return topics.map((topic) => topic + EOM).join('');
}
