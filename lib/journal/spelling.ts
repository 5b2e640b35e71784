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

/** What JSON spells as itself. */
const PLAIN_RUNS = /[^ !#-[\]-~]+/;

/** ASCII letters that are the lower case of another character too, and its UTF-8: of the Kelvin sign and of the dotted I. */
const FOREIGN_CAPITALS: Readonly<Record<string, string>> = { k: '\\xe2\\x84\\xaa', i: '\\xc4\\xb0' };

/** A line that passes may have a string that contains this text, upper or lower case. */
export function mayContain(text: string): LineTest {
  const runs = text.toLowerCase().split(PLAIN_RUNS);
  const longest = runs.reduce((a, b) => (b.length > a.length ? b : a));
  if (longest === '') return () => true;
  const spelled = new RegExp(longest.replace(/[^ ]/g, inAnyCase));
  return (line) => spelled.test(line);
}

function inAnyCase(character: string): string {
  if (!/[a-z]/.test(character)) return /\w/.test(character) ? character : `\\${character}`;
  const either = `[${character}${character.toUpperCase()}]`;
  const foreign = FOREIGN_CAPITALS[character];
  return foreign ? `(?:${either}|${foreign})` : either;
}

/** A line that passes may have a string that contains all of these, as they are. */
export function mayContainAll(texts: readonly string[]): LineTest {
  const spelled = texts.map((text) => Buffer.from(JSON.stringify(text).slice(1, -1)).toString('latin1'));
  return (line) => spelled.every((each) => line.includes(each));
}

/** More digits are not all told from each other. */
const MAX_DIGITS = 15;

/** A line that passes may have a number of that name that is wanted. */
export function mayCount(name: string, isWanted: (value: number) => boolean): LineTest {
  const key = `${name}"`;
  return (line) => {
    const at = line.indexOf(key);
    const start = at + key.length + 1;
    if (at < 1 || line[at - 1] !== '"' || line[start - 1] !== ':') return true;
    let end = start;
    let value = 0;
    for (let digit = digitAt(line, end); digit >= 0; digit = digitAt(line, ++end)) value = value * 10 + digit;
    const whole = end > start && end - start <= MAX_DIGITS && (line[end] === ',' || line[end] === '}');
    // Where the name is there twice, the other one may be the one that counts.
    return !whole || isWanted(value) || line.includes(key, end);
  };
}

/** -1 if it is none. */
function digitAt(line: string, at: number): number {
  const digit = line.charCodeAt(at) - 48;
  return digit >= 0 && digit <= 9 ? digit : -1;
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
