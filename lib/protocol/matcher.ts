const WILDCARDS: Record<string, string> = { '/**': '(/.*)?', '*': '[^/]+' };

/** The topics that a well-formed pattern names; see `compilePattern`. */
export function topicsOf(pattern: string): RegExp {
  const source = pattern.replace(/\/\*\*$|\W/g, (part) => WILDCARDS[part] ?? `\\${part}`);
  return new RegExp(`^${source}$`);
}
