/** True for the topics that a pattern names. */
export type Matcher = (topic: string) => boolean;

/** The matcher of a well-formed pattern; see `compilePattern`. */
export function matcherOf(pattern: string): Matcher {
  if (!pattern.includes('*')) return (topic) => topic === pattern;
  const [method, ...segments] = partsOf(pattern);
  const open = segments.at(-1) === '**';
  if (open) segments.pop();
  return (topic) => {
    const [verb, ...parts] = partsOf(topic);
    if (method !== '*' && method !== verb) return false;
    if (open ? parts.length < segments.length : parts.length !== segments.length) return false;
    return segments.every((segment, i) => segment === '*' || segment === parts[i]);
  };
}

/** The method, then the segments; `/` alone has none. */
function partsOf(topic: string): string[] {
  const colon = topic.indexOf(':');
  const path = topic.slice(colon + 2);
  return [topic.slice(0, colon), ...(path ? path.split('/') : [])];
}
