/** True for the topics that a pattern names. */
export type Matcher = (topic: string) => boolean;

const WILDCARDS: Record<string, string> = { '/**': '(/.*)?', '*': '[^/]+' };

/** The matcher of a well-formed pattern; see `compilePattern`. */
export function matcherOf(pattern: string): Matcher {
  const source = pattern.replace(/\/\*\*$|\W/g, (part) => WILDCARDS[part] ?? `\\${part}`);
  const expression = new RegExp(`^${source}$`);
  return (topic) => expression.test(topic);
}
