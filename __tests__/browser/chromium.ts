import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

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

/** A test in a real browser, or a skip that says how to get one. With `CI=true` a missing one fails. */
export const browserTest: jest.It =
  existsSync(executablePath) || process.env.CI === 'true' ? test : test.skip;

if (browserTest === test.skip)
  console.info(`skipped: no Chromium at ${executablePath}; apt-get install chromium, or set CHROMIUM`);
