/**
 * Tests a line of JSON without parsing it: false if the line cannot hold what is looked for, true if it may.
 *
 * @param line its UTF-8 read as Latin-1, for what is in a file is compared faster than it is decoded; without escapes
 * that `hasOtherSpellings` finds
 */
export type LineTest = (line: string) => boolean;

/** A line that passes may have a property of that name and value. */
export function mayHold(name: string, value: unknown): LineTest {
  if (typeof value === 'string') return holds(value);
  // Other numbers have too many spellings.
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 999) return () => true;
  // We write 500; who edits the file may write 5e2 or 500.0.
  const number = new RegExp(`"${name}"\\s*:\\s*(?:${value}|\\d*[.eE])`);
  return (line) => number.test(line);
}

/** A line that passes has that string, as a value or a name, anywhere. */
export function holds(text: string): LineTest {
  // Without the first quote, at each of which the search would stop to look: that is half as fast.
  const spelled = Buffer.from(JSON.stringify(text)).toString('latin1').slice(1);
  return (line) => line.includes(spelled);
}

/** A line that passes has passed all. */
export function passesAll(tests: readonly LineTest[], line: string): boolean {
  for (const test of tests) if (!test(line)) return false;
  return true;
}

/** Whether the JSON has an escape that stands for something that can be written in another way, too: \u0061 is a, \/ is /. */
export function hasOtherSpellings(json: Buffer): boolean {
  return json.includes('\\') && (json.includes('\\u') || json.includes('\\/'));
}
