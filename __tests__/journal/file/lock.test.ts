import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import { fileJournal } from '../../../lib/journal/file/file-journal.ts';
import { draft, Recorder } from '../../contract/journal-contract.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { afterwards } from '../../support/server.ts';
import { opened, run } from './stage.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory, 'requests.jsonl');
});

/** The journal as one file, which another user can read too. */
let bundle: string;
beforeAll(() => {
  const home = mkdtempSync(join(tmpdir(), 'reqcast-'));
  chmodSync(home, 0o755);
  bundle = join(home, 'journal.cjs');
  buildSync({
    entryPoints: ['lib/journal/file/file-journal.ts'],
    bundle: true,
    platform: 'node',
    outfile: bundle,
  });
});
afterAll(() => rmSync(dirname(bundle), { recursive: true }));

const PROGRAM = `
const { fileJournal } = require(process.argv[2]);
const journal = fileJournal({ path: process.argv[1] });
const sink = { reset: ({ epoch }) => { sink.epoch = epoch; }, deliver() {}, fault: ({ code }) => console.log(code) };
journal.append({ time: 1, topic: 'POST:/a' });
journal.open(sink, 0).then(() => journal.flush()).then(
  () => { console.log('open', sink.epoch); setInterval(() => {}, 1000); },
  ({ code, message }) => console.log('refused', code, message),
);
`;

/** Another process that opens the journal. */
class Other {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  /** How it went: what it said last. */
  readonly told: Promise<string>;

  constructor(options: { uid?: number } = {}) {
    this.child = spawn(process.execPath, ['-e', PROGRAM, path, bundle], {
      stdio: ['ignore', 'pipe', 'inherit'],
      ...options,
    });
    afterwards(() => this.kill());
    const output = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    this.told = new Promise((done) =>
      output.on('line', (line) => {
        this.lines.push(line);
        if (/^(open|refused)/.test(line)) done(line);
      }),
    );
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

const refused = (at = path) => {
  const journal = fileJournal({ path: at });
  return journal.open(new Recorder(), 0).then(
    () => journal.close().then(() => 'not refused'),
    (error) => error,
  );
};

describe('a journal that is open', () => {
  test('is refused to a second one of the same process, who does not disturb it', async () => {
    const { journal, sink } = await opened({ path });
    const error = await refused();
    expect(error).toMatchObject({ name: 'ReqcastError', code: 'JOURNAL_OPEN_FAILED' });
    expect(error.message).toContain(`${path} is open in this process itself`);
    journal.append(draft('POST:/a'));
    await journal.flush();
    expect(sink.calls).toEqual(['reset', 1]);
    expect(await refused()).toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
  });

  test('is refused under the name of a symbolic link too', async () => {
    await opened({ path });
    const link = join(temporaryDirectory(), 'link.jsonl');
    symlinkSync(path, link);
    expect(await refused(link)).toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
  });

  test('is refused under the name of a link that was there before it, too', async () => {
    const link = join(directory, 'link.jsonl');
    symlinkSync('requests.jsonl', link);
    const { journal } = await opened({ path: link });
    expect(await refused()).toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
    expect(await refused(link)).toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
    await journal.close();
    expect(readdirSync(directory).sort()).toEqual(['link.jsonl', 'requests.jsonl', 'requests.jsonl.state']);
  });

  test('in another process is refused with its process id, until that is killed', async () => {
    const other = new Other();
    expect(await other.told).toMatch(/^open/);
    expect((await refused()).message).toContain(`another process (pid ${other.child.pid})`);
    await other.kill();
    expect(existsSync(`${path}.lock`)).toBe(true);
    const sink = await run({ path });
    expect(`open ${sink.resets[0]?.epoch}`).toBe(await other.told);
    expect(sink.faults).toEqual([]);
  });

  test('can be opened again when it is closed, and leaves no lock', async () => {
    await run({ path });
    await run({ path });
    expect(readdirSync(directory)).toEqual(['requests.jsonl', 'requests.jsonl.state']);
  });

  test('can be opened again when opening failed', async () => {
    writeFileSync(path, 'notes\n');
    expect(await refused()).toMatchObject({ code: 'JOURNAL_OPEN_FAILED' });
    writeFileSync(path, '');
    await run({ path });
  });

  test('keeps other journals of the directory from nothing', async () => {
    await opened({ path });
    await run({ path: `${path}.other` });
  });
});

test('of several processes that start at once after a crash, one opens the journal', async () => {
  const killed = new Other();
  await killed.told;
  await killed.kill();
  for (let round = 0; round < 3; round++) {
    const others = Array.from({ length: 5 }, () => new Other());
    const told = await Promise.all(others.map((other) => other.told));
    expect(told.filter((line) => line.startsWith('open'))).toEqual([await killed.told]);
    expect(told.filter((line) => line.startsWith('refused JOURNAL_OPEN_FAILED'))).toHaveLength(4);
    await Promise.all(others.map((other) => other.kill()));
  }
});

test('what is not a lock stays where the lock would be, and is told of', async () => {
  mkdirSync(`${path}.lock`);
  expect((await refused()).message).toContain(`${path}.lock is there and is not a socket`);
});

describe('where no socket can be beside the file', () => {
  const own = join(tmpdir(), `reqcast-${userInfo().uid}`);

  test('because its path is too long, the lock is in a directory of the user', async () => {
    directory = join(directory, 'x'.repeat(120));
    mkdirSync(directory);
    path = join(directory, 'requests.jsonl');
    const { journal } = await opened({ path });
    expect(readdirSync(directory)).toEqual(['requests.jsonl', 'requests.jsonl.state']);
    expect(readdirSync(own).filter((name) => name.endsWith('.lock'))).not.toEqual([]);
    expect((await refused()).message).toContain('is open in this process itself');
    await journal.close();
    await run({ path });
  });

  const asRoot = process.getuid?.() === 0 ? test : test.skip;
  asRoot('because its directory may not be written, the journal works, and says what it cannot', async () => {
    writeFileSync(path, '', { mode: 0o666 });
    chmodSync(path, 0o666);
    chmodSync(directory, 0o755);
    const other = new Other({ uid: 65534 });
    expect(await other.told).toMatch(/^open/);
    expect(other.lines[0]).toBe('JOURNAL_STATE_FAILED');
    const second = new Other({ uid: 65534 });
    expect(await second.told).toContain(`another process (pid ${other.child.pid})`);
    await Promise.all([other.kill(), second.kill()]);
    const third = new Other({ uid: 65534 });
    expect(await third.told).toMatch(/^open/);
    expect(await third.told).not.toBe(await other.told);
  });

  asRoot('because one of another user is left there, the journal works', async () => {
    const first = new Other();
    await first.told;
    for (const name of [path, `${path}.state`]) chmodSync(name, 0o666);
    chmodSync(directory, 0o755);
    const second = new Other({ uid: 65534 });
    expect(await second.told).toContain(`another process (pid ${first.child.pid})`);
    await first.kill();
    const third = new Other({ uid: 65534 });
    expect(await third.told).toMatch(/^open/);
  });
});
