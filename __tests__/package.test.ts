import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

/** A project of a user's: the packed tarball unpacked in node_modules, its dependencies beside it. */
const project = mkdtempSync(join(tmpdir(), 'reqcast-package-'));
let files: string[] = [];

function run(command: string, args: string[], cwd = project): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

beforeAll(() => {
  const packed = run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', project],
    resolve('.'),
  );
  const [tarball] = JSON.parse(packed) as [{ filename: string; files: Array<{ path: string }> }];
  files = tarball.files.map(({ path }) => path);
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'reqcast'), { recursive: true });
  run('tar', ['-xzf', tarball.filename, '-C', join(modules, 'reqcast'), '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
  for (const name of [...Object.keys(dependencies), 'ms', '@types'])
    symlinkSync(resolve('node_modules', name), join(modules, name));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

const PROGRAM = `
const server = http.createServer((request, response) => response.end()).listen(0, async () => {
  const live = attach(server);
  live.on('*:/**', async ({ topic }) => {
    console.log(topic, typeof connect);
    await live.close();
    server.close();
    server.closeAllConnections();
  });
  await fetch('http://localhost:' + server.address().port + '/ginger/users', { method: 'POST' });
});`;

test('holds what a user needs and nothing else', () => {
  expect(files).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'PROTOCOL.md', 'dist/client.global.js']),
  );
  expect(files.filter((file) => /^(lib|__tests__|examples|node_modules)\//.test(file))).toEqual([]);
});

test('works as an ES module', () => {
  const head = `import http from 'node:http'; import { attach } from 'reqcast'; import { connect } from 'reqcast/client';`;
  writeFileSync(join(project, 'app.mjs'), head + PROGRAM);
  expect(run('node', ['app.mjs'])).toBe('POST:/ginger/users function\n');
});

test('works as a CommonJS module', () => {
  const head = `const http = require('node:http'); const { attach } = require('reqcast'); const { connect } = require('reqcast/client');`;
  writeFileSync(join(project, 'app.cjs'), head + PROGRAM);
  expect(run('node', ['app.cjs'])).toBe('POST:/ginger/users function\n');
});

test.each([
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
])('has types for module %s, resolution %s', (module, moduleResolution) => {
  const source = `
import http from 'node:http';
import { attach, fileJournal, memoryJournal, type Entry, type Notification } from 'reqcast';
import { connect } from 'reqcast/client';
import { natsJournal } from 'reqcast/nats';
import { redisJournal } from 'reqcast/redis';
declare const redis: {
  status: string;
  call(command: string, ...rest: string[]): Promise<unknown>;
  duplicate(settings?: object): unknown;
};
const live = attach(http.createServer(), { journal: fileJournal({ path: 'x' }), authorize: () => ['staff'] });
live.on('POST:/a', (notification: Notification) => notification.topic.length);
const page = connect();
const off: () => void = page.on('POST:/a', ({ data }) => data);
off();
memoryJournal({ maxEntries: 5 });
export async function last(): Promise<Entry | undefined> {
  for await (const entry of live.journal.query({ limit: 1 })) return entry;
  return undefined;
}
redisJournal({ client: redis, key: 'app' });
// @ts-expect-error a client of neither library
redisJournal({ client: {} });
declare const nats: {
  info?: { max_payload: number };
  request(subject: string, payload?: Uint8Array | string, options?: { timeout: number }): Promise<{ data: Uint8Array }>;
  publish(subject: string, payload?: Uint8Array | string, options?: { reply?: string }): void;
  subscribe(subject: string, options?: { max?: number }): { unsubscribe(max?: number): void };
  status(): AsyncIterable<{ type: string }>;
  isClosed(): boolean;
};
natsJournal({ connection: nats, stream: 'app' });
// @ts-expect-error no connection
natsJournal({ connection: {} });
// @ts-expect-error an option that does not exist
attach(http.createServer(), { nonsense: true });
`;
  writeFileSync(join(project, 'app.ts'), source);
  const options = { strict: true, noEmit: true, target: 'es2022', types: ['node'], skipLibCheck: false };
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...options, module, moduleResolution }, files: ['app.ts'] }),
  );
  const tsc = () => run('node', [resolve('node_modules/typescript/bin/tsc'), '-p', project]);
  expect(tsc).not.toThrow();
});

test('has journals of its own entries, of whose faults the attachment tells the code', () => {
  const source = `
import http from 'node:http';
import { attach } from 'reqcast';
import { redisJournal } from 'reqcast/redis';
const nobody = () => ({ connect: async () => { throw new Error('nobody there'); }, on() {}, disconnect() {} });
const client = { status: 'wait', call: async () => {}, duplicate: nobody };
const server = http.createServer();
const live = attach(server, {
  journal: redisJournal({ client }),
  onError: ({ code }, { stage }) => console.log(stage, code),
});
await live.ready;
await live.close();
`;
  writeFileSync(join(project, 'redis.mjs'), source);
  expect(run('node', ['redis.mjs'])).toBe('journal JOURNAL_UNREACHABLE\n');
});

test('bundles for a browser without anything of Node', async () => {
  writeFileSync(
    join(project, 'page.js'),
    `import { connect } from 'reqcast/client'; connect().on('POST:/a', alert);`,
  );
  const { outputFiles } = await build({
    entryPoints: [join(project, 'page.js')],
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    format: 'esm',
  });
  expect(outputFiles[0]?.text).not.toMatch(/require\(|node:/);
});
