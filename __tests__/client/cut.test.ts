import http from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import type { Notification } from '../../lib/client/index.ts';
import { attach } from '../../lib/index.ts';
import { afterwards, listen, until } from '../support/server.ts';
import { connectTo } from './stage.ts';

/** Carries bytes to the server and back, and cuts each connection after as many bytes as it is told. */
async function startRelay(port: number) {
  const ends = new Set<net.Socket>();
  const relay = { port: 0, connections: 0, budgets: [] as number[] };
  const server = net.createServer((front) => {
    relay.connections++;
    let left = relay.budgets.shift() ?? Number.POSITIVE_INFINITY;
    const back = net.connect(port, '127.0.0.1');
    const cut = () => {
      front.destroy();
      back.destroy();
    };
    for (const end of [front, back]) end.on('error', cut).on('close', cut).setNoDelay();
    front.pipe(back);
    back.on('data', (data) => {
      front.write(data.subarray(0, left), () => left <= 0 && cut());
      left -= data.length;
    });
    ends.add(front);
  });
  relay.port = await listen(server);
  const cutAll = () => {
    for (const end of ends) end.destroy();
    ends.clear();
  };
  afterwards(cutAll);
  return { relay, cutAll };
}

const TOPICS = ['POST:/a', 'POST:/b', 'DELETE:/b/c'] as const;
const PATTERNS = ['*:/**', 'POST:/a', '*:/b/**'];

type Step = (typeof TOPICS)[number] | 'turn' | 'cut';
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...TOPICS) },
  { weight: 4, arbitrary: fc.constant('turn' as const) },
  { weight: 1, arbitrary: fc.constant('cut' as const) },
);

test('over any number of cut connections, each notification calls each listener once, in order', async () => {
  const runs = Number(process.env.CUT_RUNS ?? 150);
  const seed = Number(process.env.CUT_SEED ?? Date.now() % 2 ** 31);
  const server = http.createServer();
  const host = attach(server);
  afterwards(() => host.close());
  const { relay, cutAll } = await startRelay(await listen(server));

  async function play(steps: readonly Step[], budgets: readonly number[]): Promise<void> {
    relay.budgets = [];
    const live = connectTo(`ws://127.0.0.1:${relay.port}/websockify`);
    const calls = PATTERNS.map((pattern) => {
      const called: string[] = [];
      const listener = ({ topic, data, replay }: Notification) =>
        called.push([topic, data, replay].join(' '));
      live.on(pattern, listener);
      live.on(pattern, listener);
      return called;
    });
    await until(() => live.state === 'live');
    relay.budgets = [...budgets];
    cutAll();
    let said = 0;
    for (const one of steps) {
      if (one === 'cut') cutAll();
      else if (one === 'turn') await new Promise(setImmediate);
      else host.notify(one, ++said);
    }
    host.notify('POST:/end');
    await until(() => calls[0]?.at(-1)?.startsWith('POST:/end'));
    live.close();
    const all = steps.filter((one) => one.includes(':')).map((topic, i) => `${topic} ${i + 1} `);
    expect(calls).toEqual([
      [...all, 'POST:/end  '],
      all.filter((call) => call.startsWith('POST:/a ')),
      all.filter((call) => call.includes(':/b')),
    ]);
  }

  // The answer to the handshake has about 130 bytes, so some connections are cut in it.
  const budgets = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 12 });
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), budgets, play), {
    numRuns: runs,
    seed,
  });
  console.info(`cut: ${runs} runs over ${relay.connections} connections, CUT_SEED=${seed}`);
  expect(relay.connections).toBeGreaterThan(2 * runs);
}, 120_000);
