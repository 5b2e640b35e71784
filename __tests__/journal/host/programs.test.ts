import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { testWith } from '../../support/program.ts';
import { afterwards, until } from '../../support/server.ts';
import { stage } from './stage.ts';

const [, section = ''] = readFileSync(resolve('PROTOCOL.md'), 'utf8').split('\n## The host socket\n');
const sample = (tag: string, n: number) =>
  [...(section.split('\n## ')[0] as string).matchAll(new RegExp(`^\`\`\`${tag}\n(.*?)^\`\`\``, 'gms'))][
    n
  ]?.[1] as string;

/** The n-th sample of PROTOCOL.md, run on this socket; and what it prints. */
function run(command: string, tag: string, n: number, socketPath: string) {
  const child: ChildProcess = spawn(command, ['-c', sample(tag, n).replaceAll('/run/app/host', socketPath)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  afterwards(() => child.kill());
  let text = '';
  child.stdout?.on('data', (piece) => {
    text += piece;
  });
  return { text: () => text, ended: once(child, 'close') };
}

describe('the samples of PROTOCOL.md', () => {
  testWith('nc', 'netcat-openbsd')('publish and ask from a shell', async () => {
    const { socketPath, join } = stage();
    const { sink } = await join();
    for (let i = 0; i < 3; i++) expect(await run('sh', 'sh', 0, socketPath).ended).toEqual([0, null]);
    await until(() => sink.entries.length === 3);
    expect(sink.entries[0]).toMatchObject({
      topic: 'POST:/backup/runs',
      data: { files: 12 },
      node: 'external',
    });
    const asked = run('sh', 'sh', 1, socketPath);
    await asked.ended;
    const answers = asked
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([{ offset: 3 }, { offset: 2 }, { end: true }]);
  });

  testWith('python3', 'python3')('publish and read along in Python', async () => {
    const { socketPath, join } = stage();
    const { sink } = await join();
    const reader = run('python3', 'python', 1, socketPath);
    expect(await run('python3', 'python', 0, socketPath).ended).toEqual([0, null]);
    await until(() => sink.entries.length === 1);
    expect(sink.entries[0]).toMatchObject({ topic: 'DELETE:/backup/runs', audience: ['admins'] });
    await until(() => reader.text() === '1 DELETE:/backup/runs\n');
  });
});
