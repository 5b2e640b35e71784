/** The topics that a well-formed pattern names; see `compilePattern`. */
export function topicsOf(pattern: string): RegExp {
  const source = pattern.replace(/\/\*\*$|\W/g, (part) =>
    part === '*' ? '[^/]+' : part === '/**' ? '(/.*)?' : `\\${part}`,
  );
  return new RegExp(`^${source}$`);
}
