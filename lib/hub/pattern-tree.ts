interface Node {
  readonly next: Map<string, Node>;
  /** A pattern ends here. */
  ends: boolean;
  /** A pattern ends here with `**`. */
  rest: boolean;
}

const newNode = (): Node => ({ next: new Map(), ends: false, rest: false });

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
      const next = node.next.get(segment) ?? newNode();
      node.next.set(segment, next);
      node = next;
    }
    node.ends = true;
  }

  /** Whether one of the patterns names the topic. */
  matches(topic: string): boolean {
    let nodes: Node[] = [this.#root];
    for (const segment of segmentsOf(topic)) {
      const reached: Node[] = [];
      for (const { next, rest } of nodes) {
        if (rest) return true;
        const exact = next.get(segment);
        if (exact) reached.push(exact);
        // "*" stands for something, and a segment that is called so is met already.
        const any = segment === '' || segment === '*' ? undefined : next.get('*');
        if (any) reached.push(any);
      }
      if (reached.length === 0) return false;
      nodes = reached;
    }
    return nodes.some(({ ends, rest }) => ends || rest);
  }
}

/** The method, and the segments of the path. */
function segmentsOf(text: string): string[] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), ...text.slice(colon + 2).split('/')];
}
