import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transformSync } from 'esbuild';
import { CloseCode } from '../lib/protocol/close-codes.ts';
import { encodeEom } from '../lib/protocol/eom.ts';
import { compilePattern } from '../lib/protocol/pattern.ts';
import { parsePosition } from '../lib/protocol/position.ts';
import { assertTopic } from '../lib/protocol/topic.ts';
import {
  type Answer,
  byeLine,
  HUB_TOKEN,
  parseClientLine,
  positionLine,
  topicLine,
} from '../lib/protocol/wire.ts';

const ROOT = resolve(__dirname, '..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

/** The fenced code blocks of a document that have one of these tags. */
function blocks(name: string, ...tags: string[]): string[] {
  const fences = read(name).matchAll(/^```(\S*)\n(.*?)^```$/gms);
  return [...fences].filter(([, tag]) => tags.includes(tag as string)).map(([, , text]) => text as string);
}

describe('the examples of PROTOCOL.md', () => {
  const lines = blocks('PROTOCOL.md', 'reqcast.v1').flatMap((block) => block.trimEnd().split('\n'));
  const said = (who: string) => lines.filter((line) => line.startsWith(who)).map((line) => line.slice(3));

  test('consist of lines of the client and of the server', () => {
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => !/^[CS]: /.test(line))).toEqual([]);
  });

  test.each([...new Set(said('C: '))])('the server understands %j', (line) => {
    const understood = parseClientLine(line);
    expect(understood).toBeDefined();
    if (understood?.kind === 'since') expect(line).toBe(`since ${positionText(understood.position)}`);
    if (understood?.kind === 'add') expect(() => compilePattern(understood.pattern)).not.toThrow();
  });

  test.each([...new Set(said('S: '))])('the server writes %j', (line) => {
    expect(rewritten(line)).toBe(`${line}\n`);
  });

  test('show each kind of line and each answer', () => {
    expect(new Set(said('C: ').map((line) => parseClientLine(line)?.kind))).toEqual(
      new Set(['since', 'add', 'remove', 'heartbeat']),
    );
    const answers = said('S: ').flatMap((line) => /^@\S+ ([a-z]+)/.exec(line)?.[1] ?? []);
    expect(new Set(answers)).toEqual(new Set(['live', 'replayed', 'changed', 'resync']));
    expect(said('S: ').some((line) => line.startsWith('bye '))).toBe(true);
  });
});

function positionText(position: ReturnType<typeof parsePosition>): string {
  return position ? positionLine(position).slice(1).trimEnd() : '-';
}

/** What the server's own functions make of what the line says. */
function rewritten(line: string): string {
  const [first = '', ...rest] = line.split(' ');
  const more = rest.join(' ');
  if (first === 'bye') return byeLine(Number(more));
  if (first[0] === '@') {
    const position = parsePosition(first.slice(1));
    if (!position) throw new Error(`no position: ${first}`);
    const [answer, overMs] = rest;
    return positionLine(position, answer as Answer | undefined, overMs ? Number(overMs) : undefined);
  }
  // A mark comes with the topic that it is about.
  if (first[0] === '~') return topicLine('POST:/a', undefined, first.slice(1)).replace('POST:/a\n', '');
  assertTopic(first);
  return topicLine(first, more === '' ? undefined : JSON.stringify(JSON.parse(more)));
}

describe('the tables and texts of PROTOCOL.md', () => {
  const text = read('PROTOCOL.md');

  test('give the close codes that the library has', () => {
    const rows = [...text.matchAll(/^\| (\d{4}) \| (\w+) \|/gm)].map(([, code, name]) => [
      name,
      Number(code),
    ]);
    expect(Object.fromEntries(rows)).toEqual(CloseCode);
  });

  test('give the token of the notifications', () => {
    expect(text).toContain(`\`${HUB_TOKEN}\``);
    expect(text).toContain(`\`${Buffer.from(HUB_TOKEN).toString('base64url')}\``);
  });

  test('give the mark of a name', () => {
    const [, name, mark] = /The name `(.+?)` has the mark\s+`(.+?)`/.exec(text) ?? [];
    expect(mark).toBe(
      createHash('sha256')
        .update(name as string)
        .digest('base64')
        .slice(0, 22),
    );
  });

  test('give a piece of the base64 wire', () => {
    expect(text).toContain(`\`${Buffer.from(encodeEom(['POST:/wok/logs'])).toString('base64')}\``);
  });

  test('say of patterns what they match', () => {
    const rows = [...text.matchAll(/^\| (`\S+:\/\S*`) \| (.*) \| (.*?) ?\|$/gm)];
    expect(rows.length).toBe(4);
    const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code as string);
    for (const [, pattern, matched, others] of rows) {
      const matches = compilePattern(codes(pattern as string)[0] as string);
      for (const topic of codes(matched as string))
        expect([pattern, topic, matches(topic)]).toEqual([pattern, topic, true]);
      for (const topic of codes(others as string))
        expect([pattern, topic, matches(topic)]).toEqual([pattern, topic, false]);
    }
  });
});

describe('the samples of README.md', () => {
  const samples = blocks('README.md', 'js', 'ts', 'html');
  const scripts = blocks('README.md', 'js', 'ts');
  const faces: Record<string, string> = {
    reqcast: 'lib/index.ts',
    'reqcast/client': 'lib/client/index.ts',
    'reqcast/nats': 'lib/journal/nats/index.ts',
    'reqcast/redis': 'lib/journal/redis/index.ts',
    'reqcast/journal-test': 'lib/journal/checks/index.ts',
  };
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));

  test('are there', () => expect(samples.length).toBeGreaterThan(5));

  test.each(scripts)('is a script: %s', (script) => {
    expect(() => transformSync(script, { loader: 'ts', format: 'esm' })).not.toThrow();
  });

  test('import what the package exports', () => {
    const wrong: string[] = [];
    for (const script of samples)
      for (const [, names, from] of script.matchAll(/import (.+?) from '([^']+)'/g)) {
        const face = faces[from as string];
        if (!face) {
          const known =
            /^node:/.test(from as string) || { ...dependencies, ...devDependencies }[from as string];
          if (!known) wrong.push(from as string);
          continue;
        }
        const exported = exportedNames(face);
        for (const name of (names as string).match(/\w+/g) ?? [])
          if (!exported.has(name)) wrong.push(`${name} of ${from}`);
      }
    expect(wrong).toEqual([]);
  });
});

/** The names in a module's `export { … }` statements and on its own exported declarations. */
function exportedNames(file: string): Set<string> {
  const text = read(file);
  const lists = [...text.matchAll(/^export (?:type )?\{(.*?)\}/gms)].flatMap(([, list]) =>
    (list as string).split(','),
  );
  const declared = [...text.matchAll(/^export (?:async )?(?:function|const|class|interface|type) (\w+)/gm)];
  const listed = lists.map((item) => /(\w+)\s*$/.exec(item)?.[1]);
  return new Set([...listed, ...declared.map(([, name]) => name)].filter((name) => name !== undefined));
}

describe('the documents', () => {
  test.each([
    'README.md',
    'ARCHITECTURE.md',
    'PROTOCOL.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'examples/README.md',
    'bench/README.md',
  ])('%s links to files and headings that are there', (name) => {
    const text = read(name);
    const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      (title as string)
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
      ([, a, b]) => (a ?? b) as string,
    );
    const broken = links
      .filter((link) => !/^https?:/.test(link))
      .filter((link) =>
        link[0] === '#'
          ? !anchors.includes(link.slice(1))
          : !existsSync(join(ROOT, name, '..', link.split('#')[0] as string)),
      );
    expect(broken).toEqual([]);
  });

  test('SECURITY.md names tests that are there', () => {
    const cited = [...read('SECURITY.md').matchAll(/\]\((__tests__\/[^)]+)\)(?:: ((?:"[^"]+"(?:, )?)+))?/g)];
    expect(cited.length).toBeGreaterThan(15);
    const missing = cited.flatMap(([, file, titles]) => {
      const text = read(file as string);
      const quoted = [...(titles ?? '').matchAll(/"([^"]+)"/g)].map(([, title]) => title as string);
      return quoted.filter((title) => !text.includes(title)).map((title) => `${file}: ${title}`);
    });
    expect(missing).toEqual([]);
  });

  test('README.md names each option', () => {
    const options = ['lib/attach/options.ts', 'lib/request/options.ts'].map(read).join('\n');
    const names = [...options.matchAll(/^ {2}(\w+)\?: /gm)].map(([, name]) => name);
    const text = read('README.md');
    expect(names.filter((name) => !new RegExp(`[\`{ ]${name}[\`, ]`).test(text))).toEqual([]);
  });
});
