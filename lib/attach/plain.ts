/** A character of a string takes so many of JSON at most: `\u0000`. */
const MOST_OF_A_CHARACTER = 6;
/** What a value and its name take beside their characters, at most: a number is written with 24 and less. */
const MOST_BESIDE = 32;
/** What is nested deeper may be a circle. */
const MAX_DEPTH = 8;

type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };

/**
 * What `JSON.parse(JSON.stringify(value))` gives, for values of which that is easily told: it costs a quarter of it.
 * Nothing for all others.
 *
 * @param maxLength nothing too for what might be longer than so many characters of JSON
 */
export function copyPlain(value: unknown, maxLength: number): Plain | undefined {
  let room = maxLength;

  function copy(value: unknown, depth: number): Plain | undefined {
    room -= MOST_BESIDE;
    if (room < 0) return undefined;
    switch (typeof value) {
      case 'string':
        room -= value.length * MOST_OF_A_CHARACTER;
        return room < 0 ? undefined : value;
      case 'boolean':
        return value;
      case 'number':
        // JSON has no -0, nor what is not finite.
        return Number.isFinite(value) ? value + 0 : undefined;
      case 'object':
        if (value === null) return null;
        if (depth === MAX_DEPTH || 'toJSON' in value) return undefined;
        return Array.isArray(value) ? copyList(value, depth) : copyObject(value, depth);
      default:
        return undefined;
    }
  }

  function copyList(list: readonly unknown[], depth: number): Plain[] | undefined {
    const made: Plain[] = [];
    for (const item of list) {
      const copied = copy(item, depth + 1);
      if (copied === undefined) return undefined;
      made.push(copied);
    }
    return made;
  }

  function copyObject(object: object, depth: number): Plain | undefined {
    if (Object.getPrototypeOf(object) !== Object.prototype) return undefined;
    const made: { [name: string]: Plain } = {};
    for (const name of Object.keys(object)) {
      // Set, that one is no property.
      if (name === '__proto__') return undefined;
      room -= name.length * MOST_OF_A_CHARACTER;
      const copied = copy((object as { [name: string]: unknown })[name], depth + 1);
      if (copied === undefined) return undefined;
      made[name] = copied;
    }
    return made;
  }

  return copy(value, 0);
}
