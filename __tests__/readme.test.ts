import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { resolve } from 'node:path';
import { transformSync } from 'esbuild';
import * as reqcast from '../lib/index.ts';
import { afterwards, closeServer, send, until } from './support/server.ts';
import { subscribe, topicsOf } from './support/subscriber.ts';

const README = readFileSync(resolve(__dirname, '..', 'README.md'), 'utf8');
const SAMPLES = [...README.matchAll(/^```js\n(.*?)^```$/gms)].map(([, text]) => text as string);

/** Runs the sample as it is, on a free port, and gives its server. */
async function runSample(framework: string): Promise<number> {
  const sample = SAMPLES.find((text) => text.includes(`from '${framework}'`) && text.includes('.listen('));
  const script = `${(sample as string).replace('listen(3000)', 'listen(0)')}\nmodule.exports = { server, live };`;
  const { code } = transformSync(script, { loader: 'js', format: 'cjs' });
  const made: { exports: { server: Server; live: reqcast.Attachment } } = { exports: Object.create(null) };
  const find = (name: string) => (name === 'reqcast' ? reqcast : require(name));
  new Function('require', 'module', code)(find, made);
  const { server, live } = made.exports;
  afterwards(() => closeServer(server));
  afterwards(() => live.close());
  await until(() => server.listening);
  return (server.address() as { port: number }).port;
}

test.each(['express', 'koa'])(
  'the sample of README.md with %s serves its route and announces it',
  async (name) => {
    const port = await runSample(name);
    const wire = await subscribe(port);
    const headers = { 'Content-Type': 'application/json' };
    const { status } = await send(port, 'POST', '/ginger/users', { headers, body: '{}' });
    expect(status).toBe(201);
    await until(() => topicsOf(wire).length > 0);
    expect(topicsOf(wire)).toEqual(['POST:/ginger/users']);
  },
);
