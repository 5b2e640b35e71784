import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterwards } from './server.ts';

/** An example as its users run it, on a free port; ended after the test. Gives its URL. */
export async function startExample(path: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const example = spawn(process.execPath, [`examples/${path}`], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => example.once('exit', resolve));
  afterwards(() => {
    example.kill();
    return ended;
  });
  for await (const line of createInterface({ input: example.stdout })) {
    const url = /http:\/\/[\w.]+:\d+/.exec(line)?.[0];
    if (url) return url;
  }
  throw new Error(`${path} ended`);
}
