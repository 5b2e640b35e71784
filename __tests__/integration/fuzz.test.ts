import { createHash } from 'node:crypto';
import net from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { ReqcastError } from '../../lib/index.ts';
import { runAttached } from '../support/attached.ts';
import { type Child, startChild } from '../support/child.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { type Frame, frame, upgradeRequest } from '../support/raw.ts';
import type { Measure } from '../support/served.ts';
import { afterwards, send, until } from '../support/server.ts';
import { subscribe, topicsOf, type Wire } from '../support/subscriber.ts';

/**
 * Bytes that nobody should send, to each way in of a server in a process of its own. After each batch of them no
 * connection is left, and a client that was there all the time is told of a request within a second.
 */
const RUNS = Number(process.env.FUZZ_RUNS ?? 120);
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
/** So many ways of speaking to the server at once, on connections of their own. */
const BATCH = 50;
/** Part of the promise. */
const WITHIN_MS = 1000;
/**
 * What the heap may grow by between a fifth of the runs and the end: code and caches that V8 makes meanwhile, and up to
 * 10,000 topics, which the hub remembers on purpose. A kilobyte lost for each connection would be more.
 */
const GROWTH_BYTES = 3 * 1024 * 1024;

const TOKENS = ['woknotifications', 'echo', 'closed', 'nowhere', '../../etc/passwd'].map((name) =>
  Buffer.from(name).toString('base64url'),
);

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
/** Any bytes as characters, but what would end the head of a request early. */
const junk = fc.oneof(
  fc.string({ maxLength: 30 }),
  bytes(30).map((data) => data.toString('latin1')),
  fc.constantFrom('', '%', '%00', '%zz', '%F0%9F', '\0', '\t', '"', ',', ';', '..', 'é', '\u{1F600}'),
  fc.nat({ max: 20_000 }).map((length) => 'a'.repeat(length)),
);

const line = fc.oneof(
  fc.constantFrom(
    'heartbeat',
    'since -',
    'since e:0',
    '+*:/**',
    '-*:/**',
    '+POST:/a',
    '+',
    '-',
    '',
    'bye 1',
    '@e:1',
  ),
  fc.nat({ max: 1000 }).map((n) => `+POST:/x/${n}`),
  junk.map((text) => `+POST:/${text}`),
  junk.map((text) => `since ${text}`),
  junk,
);
const message = fc.oneof(
  { weight: 4, arbitrary: fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.join('\n'))) },
  { weight: 2, arbitrary: bytes(200) },
  { weight: 1, arbitrary: fc.nat({ max: 300 }).map((n) => Buffer.from('+POST:/a\n'.repeat(n))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(70_000, 200_000).map((length) => Buffer.alloc(length, 'since -\n')),
  },
);
const odd = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });
const anyFrame = fc
  .record({
    payload: message,
    opcode: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(1, 2) },
      fc.constantFrom(0, 3, 7, 8, 9, 10, 11, 15),
    ),
    fin: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.boolean()),
    reserved: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat({ max: 7 })),
    masked: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.boolean()),
    length: fc.oneof(
      { weight: 6, arbitrary: fc.constant(undefined) },
      fc.constantFrom(0, 125, 126, 65_535, 65_536, 65_537, 2 ** 31, 2 ** 53 - 1),
    ),
  })
  .map((one) => frame(one as Frame));

const PROTOCOLS = ['reqcast.v1', 'base64', 'binary', undefined];
const target = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TOKENS).map((token) => `/websockify?token=${token}`) },
  fc.constantFrom(
    '/websockify',
    '/websockify?',
    '/websockify?token',
    '//websockify',
    '*',
    'http://a/websockify?token=x',
  ),
  junk.map((text) => `/websockify?token=${text}`),
  junk.map((text) => `/${text}`),
  junk,
);
const header = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        ...[
          'Sec-WebSocket-Protocol',
          'Sec-WebSocket-Key',
          'Sec-WebSocket-Version',
          'Sec-WebSocket-Extensions',
        ],
        ...[
          'Origin',
          'Host',
          'X-Forwarded-For',
          'X-Forwarded-Host',
          'X-Forwarded-Proto',
          'Cookie',
          'Upgrade',
        ],
        ...[
          'Connection',
          'Content-Length',
          'Transfer-Encoding',
          'Expect',
          'Reqcast-Client',
          'Accept',
          'Sec-Fetch-Dest',
        ],
      ),
      fc.oneof(
        junk,
        fc.constantFrom(
          'reqcast.v1',
          'base64, binary,, ,',
          'reqcast.v1, reqcast.v1',
          'null',
          'http://localhost',
          '0',
          '5',
        ),
        fc.constantFrom(
          'h2c',
          'websocket',
          'chunked',
          '100-continue',
          'text/html',
          'document',
          'permessage-deflate',
        ),
      ),
    )
    .map(([name, value]) => `${name}: ${value}`),
  junk,
);

/** What is written to the server, in pieces, and how that ends. */
interface Case {
  at: 'tcp' | 'unix';
  pieces: Buffer[];
  end: 'end' | 'destroy' | 'reset' | 'silence';
}

/** Cut anywhere, and now and then with a byte that is another. */
function cut(data: Buffer, cuts: readonly number[], flips: readonly [number, number][]): Buffer[] {
  for (const [at, value] of flips) if (data.length > 0) data[at % data.length] = value;
  const at = [0, ...cuts.map((n) => n % (data.length + 1)).sort((a, b) => a - b), data.length];
  return at.slice(1).map((to, i) => data.subarray(at[i], to));
}

const end = fc.constantFrom('end', 'destroy', 'reset', 'silence' as const) as fc.Arbitrary<Case['end']>;
const written = (data: fc.Arbitrary<Buffer>, at: Case['at'] = 'tcp'): fc.Arbitrary<Case> =>
  fc
    .tuple(
      data,
      fc.array(fc.nat(), { maxLength: 4 }),
      odd(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 })),
      end,
    )
    .map(([all, cuts, flips, how]) => ({ at, pieces: cut(all, cuts, flips ?? []), end: how }));

const wire = fc
  .tuple(fc.constantFrom(...TOKENS), fc.constantFrom(...PROTOCOLS), fc.array(anyFrame, { maxLength: 8 }))
  .map(([token, protocol, frames]) => {
    const headers = protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : [];
    return Buffer.concat([Buffer.from(upgradeRequest(`/websockify?token=${token}`, headers)), ...frames]);
  });
const upgrade = fc
  .tuple(target, fc.array(header, { maxLength: 6 }), bytes(40))
  .map(([where, headers, more]) =>
    Buffer.concat([Buffer.from(upgradeRequest(where, headers), 'latin1'), more]),
  );
const request = fc
  .record({
    method: fc.oneof(fc.constantFrom('GET', 'POST', 'DELETE', 'OPTIONS', 'CONNECT', 'PRI', 'get'), junk),
    path: target,
    version: fc.constantFrom('1.1', '1.1', '1.0', '0.9', '2.0', 'x'),
    headers: fc.array(header, { maxLength: 8 }),
    body: bytes(40),
  })
  .map(({ method, path, version, headers, body }) => {
    const lines = [`${method} ${path} HTTP/${version}`, 'Host: a', ...headers, '', ''];
    return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]);
  });

const batch = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: written(wire) },
    { weight: 2, arbitrary: written(upgrade) },
    { weight: 2, arbitrary: written(request) },
    { weight: 1, arbitrary: written(bytes(2000)) },
    { weight: 2, arbitrary: written(bytes(2000), 'unix') },
  ),
  { minLength: BATCH, maxLength: BATCH },
);

/** The server, and a client that is there all the time; started anew when a case ended it. */
class Stage {
  child!: Child;
  port = 0;
  healthy!: Wire;
  readonly socketPath = join(temporaryDirectory(), 'push');
  readonly #targetPath = join(temporaryDirectory(), 'target');
  #told = 0;

  async start(): Promise<void> {
    this.child = startChild();
    const { port } = await this.child.start(
      {
        windowSize: 16,
        pushServer: { socketPath: this.socketPath },
        proxy: {
          targets: { echo: { socketPath: this.#targetPath }, closed: { host: '127.0.0.1', port: 1 } },
        },
        handshakeTimeoutMs: 500,
        closeTimeoutMs: 100,
        trustProxy: true,
      },
      0,
    );
    this.port = port;
    this.healthy = await subscribe(port, ['POST:/healthy']);
  }

  async listenAsTarget(): Promise<void> {
    const echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
    await new Promise<void>((resolve) => echo.listen(this.#targetPath, resolve));
    afterwards(() => echo.close());
  }

  async play(cases: readonly Case[]): Promise<void> {
    await Promise.all(cases.map((one) => this.#speak(one)));
  }

  async #speak({ at, pieces, end: how }: Case): Promise<void> {
    const socket = at === 'tcp' ? net.connect(this.port, '127.0.0.1') : net.connect(this.socketPath);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    await Promise.race([closed, new Promise((resolve) => socket.once('connect', resolve))]);
    for (const piece of pieces) {
      if (socket.destroyed) return;
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (how === 'destroy') socket.destroy();
    else if (how === 'end') socket.end();
    else if (how === 'reset' && at === 'tcp') socket.resetAndDestroy();
    // What is silent is seen to be so by the server for a while.
    else setTimeout(() => socket.destroy(), 20);
    socket.resume();
    setTimeout(() => socket.destroy(), 50);
    await closed;
  }

  /** A request of somebody reaches the client that is there all the time. */
  async assertServed(): Promise<void> {
    const told = ++this.#told;
    const deadline = Date.now() + WITHIN_MS;
    await send(this.port, 'POST', '/healthy', { headers: { 'Reqcast-Client': `n${told}` } });
    await until(() => {
      if (Date.now() > deadline) throw new Error(`the healthy client heard nothing for ${WITHIN_MS} ms`);
      return topicsOf(this.healthy).includes(`~${markOf(`n${told}`)}`);
    });
    this.healthy.messages.length = 0;
  }

  /** Only the healthy client is left. */
  async assertNothingLeft(): Promise<void> {
    const deadline = Date.now() + 10_000;
    await until(async () => {
      const { connections } = await this.child.measure();
      if (Date.now() > deadline) throw new Error(`${connections} connections are left`);
      return connections === 1;
    });
  }

  async try(cases: readonly Case[]): Promise<void> {
    try {
      await this.play(cases);
      await this.assertServed();
    } catch (error) {
      // What the server said last, if this was its end.
      await Promise.race([this.child.ended.then((end) => Promise.reject(end)), later(500)]);
      throw error;
    }
  }

  /** Which of the cases fails alone. */
  async blame(cases: readonly Case[]): Promise<string> {
    for (const one of cases) {
      this.child.kill();
      await this.start();
      const failed = await this.try([one]).then(
        () => undefined,
        (error: Error) => error,
      );
      if (failed) return `${failed.message}\n${shown(one)}`;
    }
    return 'none of them alone';
  }
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const shown = ({ at, pieces, end: how }: Case) =>
  `${at} ${how}: ${pieces
    .map((piece) => piece.toString('latin1').replace(/(.)\1{9,}/g, (run, one) => `${one}{${run.length}}`))
    .map((text) => JSON.stringify(text.slice(0, 1000)))
    .join(' ')}`;

test('malformed bytes end in no crash and no growth, and others are served within a second', async () => {
  console.info(`fuzz: ${RUNS} batches of ${BATCH}, FUZZ_SEED=${SEED}`);
  const stage = new Stage();
  await stage.listenAsTarget();
  await stage.start();
  const measures: Measure[] = [];
  for (const [i, cases] of fc.sample(batch, { numRuns: RUNS, seed: SEED }).entries()) {
    try {
      await stage.try(cases);
    } catch (error) {
      throw new Error(`batch ${i}: ${(error as Error).message}\nto blame: ${await stage.blame(cases)}`);
    }
    if (i % 10 < 9 && i < RUNS - 1) continue;
    await stage.assertNothingLeft();
    measures.push(await stage.child.measure());
  }
  const [early, late] = [measures[Math.floor(measures.length / 5)] as Measure, measures.at(-1) as Measure];
  console.info(`fuzz: heap ${early.heapUsed >> 10} KiB early, ${late.heapUsed >> 10} KiB at the end`);
  expect(late.descriptors).toBeLessThanOrEqual(early.descriptors);
  expect(late.heapUsed - early.heapUsed).toBeLessThan(GROWTH_BYTES);
}, 120_000);

test('a thousand peers that come to the UNIX socket at once, and reset, leave nothing behind', async () => {
  const stage = new Stage();
  await stage.listenAsTarget();
  await stage.start();
  const before = await stage.child.measure();
  for (let i = 0; i < 2; i++) {
    const peers = Array.from({ length: 1000 }, () => net.connect(stage.socketPath).on('error', () => {}));
    // Some are refused, by the kernel's backlog or as one too many.
    const there = (peer: net.Socket) =>
      new Promise<void>((resolve) => peer.once('connect', resolve).once('close', () => resolve()));
    await Promise.all(peers.map(there));
    for (const [at, peer] of peers.entries()) {
      peer.write('heartbeat');
      if (at % 2) peer.destroy();
    }
    await stage.assertServed();
    for (const peer of peers) peer.destroy();
  }
  await until(async () => (await stage.child.measure()).descriptors <= before.descriptors);
});

/** Values as nobody should give them to `notify`. */
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});
const hostile = fc.constantFrom<() => unknown>(
  () => Symbol('s'),
  () => () => 1,
  () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    return circle;
  },
  () => ({
    toJSON() {
      throw Object.create(null);
    },
  }),
  () => ({ toJSON: () => undefined }),
  () => new Proxy({}, { ownKeys: () => [1] as never }),
  () => JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`),
  () => 'x'.repeat(70_000),
  () => '\u2028\ud800\0',
);
const value = fc.oneof(
  anything,
  hostile.map((make) => make()),
);
const topic = fc.oneof(
  value,
  fc.constantFrom(
    'POST:/a',
    'POST:/',
    'A-1:/é',
    'POST:/a//EOM//',
    'POST:/a b',
    'post:/a',
    `POST:/${'a'.repeat(600)}`,
  ),
  junk.map((text) => `POST:/${text}`),
);
const audience = fc.oneof(value, fc.constant(undefined), fc.array(fc.string(), { maxLength: 3 }));

test('notify takes what it is given or throws one of its codes, and everyone is served after it', async () => {
  const { live, port } = await runAttached();
  const wire = await subscribe(port, ['POST:/healthy']);
  const listened: string[] = [];
  live.on('POST:/healthy', ({ topic: name }) => listened.push(name));
  const everyone = await subscribe(port, ['*:/**']);
  const codes = ['INVALID_TOPIC', 'INVALID_DATA', 'INVALID_OPTION'];
  let taken = 0;
  fc.assert(
    fc.property(topic, value, audience, (name, data, who) => {
      try {
        live.notify(name as string, data, { audience: who as string[] });
        taken++;
      } catch (error) {
        if (!(error instanceof ReqcastError && codes.includes(error.code))) throw error;
      }
    }),
    { numRuns: 3000, seed: SEED },
  );
  expect(taken).toBeGreaterThan(30);
  live.notify('POST:/healthy');
  await until(
    () => listened.length > 0 && topicsOf(wire).length > 0 && everyone.text().includes('POST:/healthy'),
  );
});

/** As PROTOCOL.md has it. */
function markOf(name: string): string {
  return createHash('sha256').update(name).digest('base64').slice(0, 22);
}
