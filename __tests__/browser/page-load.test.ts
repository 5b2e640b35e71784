import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterwards, until } from '../support/server.ts';
import { callsOf, startHost, untilState } from './attached.ts';
import { browserTest, launch } from './chromium.ts';

let browser: Browser | undefined;
afterAll(() => browser?.close());

async function openContext(): Promise<BrowserContext> {
  browser ??= await launch();
  const context = await browser.newContext();
  afterwards(() => context.close());
  return context;
}

/** Loads a page whose client starts only after something has changed, and changes more when it is live. */
async function loadSlowly(serverTiming: boolean): Promise<Page> {
  let asked = false;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const host = await startHost({ serverTiming }, () => {
    asked = true;
    return released;
  });
  await host.post('/things/before');
  const page = await (await openContext()).newPage();
  await page.goto(host.url, { waitUntil: 'commit' });
  await until(() => asked);
  await host.post('/things/meanwhile');
  release();
  await page.waitForFunction(() => 'live' in window);
  await untilState(page, 'live');
  await host.post('/things/after');
  await until(async () => (await callsOf(page)).includes('POST:/things/after'));
  return page;
}

describe('in Chromium, a page', () => {
  browserTest('is told what changed between its response and its connection', async () => {
    const page = await loadSlowly(true);
    expect(await callsOf(page)).toEqual(['POST:/things/meanwhile', 'POST:/things/after']);
  });

  browserTest('is not, when its response does not tell the position', async () => {
    const page = await loadSlowly(false);
    expect(await callsOf(page)).toEqual(['POST:/things/after']);
  });

  browserTest('has the app’s own timings beside the position, which only documents carry', async () => {
    const page = await loadSlowly(true);
    const timings = await page.evaluate(async () => {
      await fetch('/data').then((response) => response.text());
      const entries = performance.getEntries() as PerformanceResourceTiming[];
      return entries
        .filter(({ entryType }) => entryType === 'navigation' || entryType === 'resource')
        .map(({ entryType, name, serverTiming }) => ({
          what: entryType === 'navigation' ? entryType : new URL(name).pathname,
          told: serverTiming.map(({ name, duration, description }) => [name, duration, description]),
        }));
    });
    const told = Object.fromEntries(timings.map(({ what, told }) => [what, told]));
    expect(told).toMatchObject({
      navigation: [
        ['db', 53, ''],
        ['reqcast', 0, expect.stringMatching(/^[\w-]+:1$/)],
      ],
      '/client.js': [],
      '/data': [['db', 53, '']],
    });
  });
});
