import fc from 'fast-check';
import { PatternTree, segmentsOf } from '../../lib/hub/pattern-tree.ts';
import { compilePattern } from '../../lib/protocol/pattern.ts';

const method = fc.constantFrom('POST', 'PUT', 'TASK');
const segment = fc.constantFrom('a', 'b', '', 'a:b', '*');
const topic = fc
  .tuple(method, fc.array(segment, { maxLength: 4 }))
  .map(([name, path]) => `${name}:/${path.join('/')}`);
const pattern = fc
  .tuple(
    fc.oneof(method, fc.constant('*')),
    fc.array(fc.oneof(segment, fc.constant('*')), { maxLength: 4 }),
    fc.constantFrom([], ['**']),
  )
  .map(([name, path, rest]) => `${name}:/${[...path, ...rest].join('/')}`);

function treeOf(patterns: readonly string[]): PatternTree {
  const tree = new PatternTree();
  for (const one of patterns) tree.add(one);
  return tree;
}

test('a tree of patterns names the topics that one of them names', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 5 }), topic, (patterns, name) => {
      const one = patterns.some((each) => compilePattern(each)(name));
      expect(treeOf(patterns).matches(segmentsOf(name))).toBe(one);
    }),
    { numRuns: 5000 },
  );
});

test('a tree answers for a whole window before anyone notices', () => {
  const tree = treeOf(Array.from({ length: 256 }, (_, i) => `*:/${'*/'.repeat(30)}x${i}`));
  const path = Array.from({ length: 30 }, (_, i) => `s${i}`).join('/');
  const startedAt = performance.now();
  for (let i = 0; i < 10_000; i++) tree.matches(segmentsOf(`POST:/${path}/${i}`));
  // About 50 ms. As 256 expressions, one after the other, it was 7 s.
  expect(performance.now() - startedAt).toBeLessThan(1000);
  expect(tree.matches(segmentsOf(`POST:/${path}/x7`))).toBe(true);
});
