import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const LIB = resolve('lib');
const FLOORS: Record<string, number> = {
  protocol: 0,
  unix: 1,
  journal: 2,
  hub: 3,
  client: 3,
  request: 4,
  websocket: 4,
  push: 4,
  proxy: 4,
  attach: 5,
  'index.ts': 6,
};

const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const room = (file: string) => file.split('/')[0] as string;

function importsOf(file: string): string[] {
  const source = readFileSync(join(LIB, file), 'utf8');
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string);
}

const edges = files.flatMap((file) =>
  importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => ({ from: file, to: relative(LIB, resolve(LIB, dirname(file), name)) })),
);

describe('the house', () => {
  test('has every file in a known room', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => FLOORS[room(file)] === undefined)).toEqual([]);
  });

  test('has imports that go down, and siblings that never meet', () => {
    const up = edges.filter(({ from, to }) => {
      if (room(from) === room(to)) return false;
      return (FLOORS[room(to)] as number) >= (FLOORS[room(from)] as number);
    });
    expect(up).toEqual([]);
  });

  test('has no circle of files', () => {
    const below = new Map<string, string[]>();
    for (const { from, to } of edges) below.set(from, [...(below.get(from) ?? []), to]);
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`a circle: ${[...path, file].join(' > ')}`);
      if (done.has(file)) return;
      for (const next of below.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(done.size).toBe(files.length);
  });

  test('keeps protocol and client free of Node, and the client to protocol alone', () => {
    const pure = files.filter((file) => ['protocol', 'client'].includes(room(file)));
    expect(pure.flatMap((file) => importsOf(file).filter((name) => !name.startsWith('.')))).toEqual([]);
    const client = edges.filter(({ from }) => room(from) === 'client');
    expect(client.filter(({ to }) => !['client', 'protocol'].includes(room(to)))).toEqual([]);
  });

  test('keeps a file to one noun: at most 320 lines', () => {
    const long = files.filter((file) => readFileSync(join(LIB, file), 'utf8').split('\n').length > 320);
    expect(long).toEqual([]);
  });
});
