import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { temporaryDirectory } from '../support/directory.ts';
import { afterwards } from '../support/server.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** With the back/forward cache, which Playwright turns off. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ARGS,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

/** One in which a tab behind another one is hidden: Playwright makes its own pages believe that they are seen. */
export async function launchPlain(): Promise<BrowserContext> {
  const directory = temporaryDirectory();
  // With a first tab given, further ones come in front of it and of each other.
  const args = [
    ...ARGS,
    '--headless',
    '--remote-debugging-port=0',
    `--user-data-dir=${directory}`,
    'about:blank',
  ];
  const program = spawn(executablePath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  // When its output is closed, its children are gone too, which write to the directory until then.
  const ended = new Promise((resolve) => program.once('close', resolve));
  afterwards(() => {
    program.kill();
    return ended;
  });
  for await (const line of createInterface({ input: program.stderr })) {
    const url = /^DevTools listening on (\S+)/.exec(line)?.[1];
    if (!url) continue;
    program.stderr.resume();
    const browser = await chromium.connectOverCDP(url, { noDefaults: true });
    return browser.contexts()[0] as BrowserContext;
  }
  throw new Error('Chromium ended');
}

/** A test in a real browser, or a skip that says how to get one. With `CI=true` a missing one fails. */
export const browserTest: jest.It =
  existsSync(executablePath) || process.env.CI === 'true' ? test : test.skip;

if (browserTest === test.skip)
  console.info(`skipped: no Chromium at ${executablePath}; apt-get install chromium, or set CHROMIUM`);
