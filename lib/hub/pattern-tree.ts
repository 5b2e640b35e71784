interface Node {
  /** By segment. */
  readonly next: Map<string, Node>;
  /** Under `*`. */
  any: Node | undefined;
  /** A pattern ends here. */
  ends: boolean;
  /** A pattern ends here with `**`. */
  rest: boolean;
}

const newNode = (): Node => ({ next: new Map(), any: undefined, ends: false, rest: false });

/**
 * Many patterns as one: a topic is matched segment by segment against all of them at once, for a replay may ask
 * 10,000 entries of a connection's 256 patterns, and expressions one after the other take seconds for that.
 */
export class PatternTree {
  readonly #root = newNode();

  /** @param pattern well-formed */
  add(pattern: string): void {
    let node = this.#root;
    for (const segment of segmentsOf(pattern)) {
      if (segment === '**') {
        node.rest = true;
        return;
      }
      node = below(node, segment);
    }
    node.ends = true;
  }

  /** Whether one of the patterns names the topic of these segments. */
  matches(segments: readonly string[]): boolean {
    return matchesBelow(this.#root, segments, 0);
  }
}

function below(node: Node, segment: string): Node {
  if (segment === '*') {
    node.any ??= newNode();
    return node.any;
  }
  const next = node.next.get(segment) ?? newNode();
  node.next.set(segment, next);
  return next;
}

/** Visits each node at most once, for there is one way to it. */
function matchesBelow(node: Node, segments: readonly string[], at: number): boolean {
  if (node.rest) return true;
  const segment = segments[at];
  if (segment === undefined) return node.ends;
  const exact = node.next.get(segment);
  if (exact && matchesBelow(exact, segments, at + 1)) return true;
  // "*" stands for something.
  return node.any !== undefined && segment !== '' && matchesBelow(node.any, segments, at + 1);
}

/** The method, and the segments of the path. */
export function segmentsOf(text: string): string[] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), ...text.slice(colon + 2).split('/')];
}
