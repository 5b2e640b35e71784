import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import type { Entry } from '../../lib/journal/entry.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { send, until } from '../support/server.ts';

const EXAMPLES = resolve(__dirname, '../../examples');
const processes = new Set<ChildProcess>();

afterEach(async () => {
  const ended = [...processes].map((child) => new Promise((done) => child.once('exit', done)));
  for (const child of processes) child.kill();
  await Promise.all(ended);
});

/** A child process whose output lines can be waited for. */
class Program {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: Array<() => void> = [];
  #errors = '';

  constructor(command: string, args: string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(command, args, { env: { ...process.env, PORT: '0', ...env } });
    processes.add(this.child);
    this.child.once('exit', () => {
      processes.delete(this.child);
      this.#wake();
    });
    this.child.stderr?.on('data', (piece) => {
      this.#errors += piece;
    });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
  }

  /** The next line that starts with `prefix`, without it. */
  async line(prefix: string): Promise<string> {
    for (;;) {
      const at = this.#lines.findIndex((line) => line.startsWith(prefix));
      if (at >= 0) return (this.#lines.splice(0, at + 1).at(-1) as string).slice(prefix.length);
      if (this.child.exitCode !== null) throw new Error(`the program ended: ${this.#errors}`);
      await new Promise<void>((woken) => this.#waiting.push(woken));
    }
  }

  #wake(): void {
    for (const woken of this.#waiting.splice(0)) woken();
  }

  /** What it exits with after a polite request to stop. */
  async stop(): Promise<number | null> {
    const exited = new Promise<number | null>((done) => this.child.once('exit', (code) => done(code)));
    this.child.kill('SIGTERM');
    return exited;
  }
}

const example = (path: string, env?: NodeJS.ProcessEnv) =>
  new Program(process.execPath, [join(EXAMPLES, path)], env);

/** Follows all topics: resolves with the first announced one, once `act` has run behind the server's answer. */
async function firstTopic(url: string, act: () => Promise<unknown>): Promise<string> {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/websockify`, 'reqcast.v1');
  try {
    return await new Promise<string>((done, fail) => {
      ws.on('error', fail);
      ws.on('close', (code, reason) => fail(new Error(`closed with ${code} ${reason}`)));
      ws.on('open', () => ws.send('since -\n+*:/**\n'));
      ws.on('message', (data) => {
        for (const line of data.toString().split('\n')) {
          if (line.endsWith(' live')) act().catch(fail);
          else if (line !== '' && line[0] !== '@') done(line);
        }
      });
    });
  } finally {
    ws.terminate();
  }
}

function post(url: string, body = '{"name":"ada","password":"sesame"}'): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
}

describe('each server example announces a POST and ends when asked to', () => {
  test.each([
    ['raw-http/server.js', '/ginger/users', 'POST:/ginger/users'],
    ['express/server.js', '/plugins/ginger/users', 'POST:/ginger/users'],
    ['koa/server.js', '/ginger/users', 'POST:/ginger/users'],
    ['fastify/server.js', '/ginger/users', 'POST:/ginger/users'],
    ['plugin-ui-esbuild/build.js', '/ginger/users', 'POST:/ginger/users'],
    ['own-journal/server.js', '/ginger/users', 'POST:/ginger/users'],
  ])('%s', async (path, route, topic) => {
    const program = example(path, { JOURNAL: join(temporaryDirectory(), 'journal.json') });
    const url = await program.line('listening on ');

    expect(await firstTopic(url, () => post(url + route))).toBe(topic);
    expect(await program.stop()).toBe(0);
  });
});

describe('the cluster example', () => {
  test('has one journal for all workers, whichever of them dies', async () => {
    const DIRECTORY = temporaryDirectory();
    const program = example('cluster/server.js', { DIRECTORY });
    const urls = [1, 2, 3].map(() => program.line('listening on '));
    const { port } = new URL(await (urls[0] as Promise<string>));
    await Promise.all(urls);
    // Each connection goes to the next worker.
    const answering = async () => JSON.parse((await send(Number(port), 'POST', '/ginger/users')).body).worker;
    const workers = new Set<number>();
    while (workers.size < 3) workers.add(await answering());
    const inJournal = (): Entry[] => {
      const lines = readFileSync(join(DIRECTORY, 'requests.jsonl'), 'utf8').split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line));
    };
    const nodes = () => new Set(inJournal().map(({ node }) => Number(node)));
    await until(() => nodes().size === 3);

    const [dies] = workers;
    process.kill(dies as number, 'SIGKILL');
    // A connection that node:cluster hands to a worker as that dies is answered by nobody.
    await program.line('listening on ');
    while (workers.size < 4) workers.add(await answering());
    expect(await program.stop()).toBe(0);

    const offsets = inJournal().map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.map((_, i) => i + 1));
    expect(nodes()).toEqual(workers);
  });

  test('differs from a plain Express app by eight lines at most', async () => {
    const { stdout } = spawnSync('diff', ['plain.js', 'server.js'], {
      cwd: join(EXAMPLES, 'cluster'),
      encoding: 'utf8',
    });
    for (const side of ['<', '>']) {
      const lines = stdout.split('\n').filter((line) => line.startsWith(side));
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.length).toBeLessThanOrEqual(8);
    }
    const url = await example('cluster/plain.js').line('listening on ');
    expect((await post(`${url}/ginger/users`)).status).toBe(201);
  });
});

test('the Express example gives the request log, without the secret', async () => {
  const url = await example('express/server.js').line('listening on ');
  await firstTopic(url, () => post(`${url}/plugins/ginger/users`));

  const [record] = (await (await fetch(`${url}/logs`)).json()) as Record<string, unknown>[];

  expect(record).toMatchObject({
    method: 'POST',
    topic: 'POST:/ginger/users',
    status: 201,
    outcome: 'completed',
    app: 'ginger',
    message: 'Create ginger users',
    params: { name: 'ada', password: '[redacted]' },
  });
});

test('the plugin page carries the client, bundled', async () => {
  const url = await example('plugin-ui-esbuild/build.js').line('listening on ');

  const page = await (await fetch(url)).text();
  const script = await (await fetch(`${url}/ui.js`)).text();

  expect(page).toContain('/ui.js');
  expect(script).toContain('reqcast.v1');
  expect(script).not.toMatch(/\bimport\b[^(]*from/);
});

describe('each logger example writes a line for each record', () => {
  test.each([
    ['pino-sink/server.js', 'msg'],
    ['winston-sink/server.js', 'message'],
  ])('%s', async (path, property) => {
    const program = example(path);
    const url = await program.line('listening on ');
    await post(`${url}/ginger/users`);

    const line = JSON.parse(`{${await program.line('{')}`);

    expect(line).toMatchObject({ [property]: 'Create ginger users', status: 200, app: 'ginger' });
  });
});

test('the journal of one’s own keeps the contract of journals', () => {
  const file = join(EXAMPLES, 'own-journal/json-journal.test.js');
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], {
    encoding: 'utf8',
    // A runner inside of another would report to it.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  const failed = stdout.split('\n').filter((line) => line.startsWith('not ok'));
  expect([failed, status]).toEqual([[], 0]);
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(20);
});

describe('each subscriber follows the push server', () => {
  const has = (command: string, args: string[]) => spawnSync(command, args).status === 0;
  /** OpenBSD's and nmap's nc have -U, the traditional one has not. */
  const ncKnowsUnix = () => {
    const { stdout, stderr } = spawnSync('nc', ['-h'], { encoding: 'utf8' });
    return /-\w*U/.test(`${stdout}${stderr}`);
  };

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'reqcast-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs the test, or says in a line what is missing; where that is not an option, fails. */
  function withTool(there: boolean, hint: string, title: string, run: () => Promise<void>): void {
    if (!there) console.warn(`skipped: ${title}: ${hint}`);
    if (there || process.env.CI === 'true') test(title, run);
    else test.skip(title, run);
  }

  async function served(): Promise<{ url: string; socketPath: string }> {
    const server = example('subscribers/server.js', { SOCKET_PATH: join(folder, 'live.sock') });
    const socketPath = await server.line('pushing on ');
    return { socketPath, url: await server.line('listening on ') };
  }

  withTool(has('python3', ['--version']), 'install python3', 'subscribe.py', async () => {
    const { url, socketPath } = await served();
    const subscriber = new Program('python3', [join(EXAMPLES, 'subscribers/subscribe.py'), socketPath]);
    await subscriber.line('connected');
    await post(`${url}/ginger/users`);

    expect(await subscriber.line('')).toBe('POST:/ginger/users');
  });

  withTool(ncKnowsUnix(), 'install netcat-openbsd (nc with -U)', 'subscribe.sh', async () => {
    const { url, socketPath } = await served();
    const subscriber = new Program('sh', [join(EXAMPLES, 'subscribers/subscribe.sh'), socketPath]);
    const output = subscriber.child.stdout as NodeJS.ReadableStream;
    let heard = '';
    output.once('data', (piece) => {
      heard = String(piece);
    });
    // nc does not say when it is connected: make requests until it hears of one.
    while (heard === '' && subscriber.child.exitCode === null) await post(`${url}/ginger/users`);

    expect(heard).toMatch(/^POST:\/ginger\/users\/\/EOM\/\//);
  });
});
