/**
 * The `binary` wire as lines: what a message completed, and that this is all. Servers of WoK and websockify that speak
 * `base64` speak and prefer this one, so the client has no other.
 */
export function streamReader(): (message: ArrayBuffer) => string[] {
  /** A piece may end inside a topic: what is still open is kept up to this many characters, then dropped. */
  const maxOpenLength = 65536;
  const decoder = new TextDecoder();
  let open = '';
  return (message) => {
    const lines = (open + decoder.decode(message, { stream: true })).split('//EOM//');
    open = (lines.pop() as string).slice(-maxOpenLength);
    return [...lines, '@'];
  };
}
