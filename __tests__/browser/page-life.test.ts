import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Live } from '../../lib/client/index.ts';
import { afterwards, until } from '../support/server.ts';
import { callsOf, openPage, startHost, stateOf, untilState } from './attached.ts';
import { browserTest, launch } from './chromium.ts';

declare const live: Live;
declare const calls: string[];
declare const others: string[];
declare const events: string[];

let browser: Browser | undefined;
afterAll(() => browser?.close());

async function openContext(): Promise<BrowserContext> {
  browser ??= await launch();
  const context = await browser.newContext();
  afterwards(() => context.close());
  return context;
}

/** A page out of the cache does not load again. */
const SHOWN = { waitUntil: 'commit' } as const;

const untilCalls = (page: Page, count: number) => until(async () => (await callsOf(page)).length >= count);

describe('in Chromium, a page that is offline', () => {
  browserTest('makes no attempts, and one at once when it is online', async () => {
    const host = await startHost();
    const context = await openContext();
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(host.url);
    await page.waitForFunction(() => 'live' in window);
    await untilState(page, 'live');
    await context.setOffline(true);
    // Being offline does not end a WebSocket that is open, so the server does.
    host.cut();
    await untilState(page, 'waiting');
    await host.post('/things/meanwhile');
    const states = await page.evaluateHandle(() => {
      const seen: string[] = [];
      live.on('state', (state) => seen.push(state));
      return seen;
    });
    await page.clock.fastForward('01:00:00');
    expect([await states.jsonValue(), host.attempts]).toEqual([[], 1]);
    // From here on no timer runs in the page.
    await page.clock.pauseAt(new Date(Date.now() + 2 * 3_600_000));
    expect([await states.jsonValue(), host.attempts]).toEqual([[], 1]);
    await context.setOffline(false);
    await untilCalls(page, 1);
    expect([await callsOf(page), host.attempts]).toEqual([['POST:/things/meanwhile'], 2]);
  });
});

describe('in Chromium, a page that is left', () => {
  browserTest('comes back from the back/forward cache and hears what it missed once', async () => {
    const host = await startHost();
    const page = await openPage(await openContext(), host.url);
    await host.post('/things/first');
    await untilCalls(page, 1);
    const shown: string[] = ['POST:/things/first'];
    for (const round of [1, 2]) {
      await page.goto(`${host.url}elsewhere`);
      await until(() => host.open() === 0);
      await host.post(`/things/away-${round}`);
      await host.post('/other');
      await page.goBack(SHOWN);
      await untilState(page, 'live');
      shown.push(`POST:/things/away-${round}`);
      await untilCalls(page, shown.length);
      await host.post(`/things/back-${round}`);
      shown.push(`POST:/things/back-${round}`);
      await untilCalls(page, shown.length);
      expect(await callsOf(page)).toEqual(shown);
      expect(await page.evaluate(() => events.filter((name) => name === 'persisted').length)).toBe(round);
    }
    await page.goForward(SHOWN);
    await until(() => host.open() === 0);
    await host.post('/things/forward');
    await page.goBack(SHOWN);
    await untilCalls(page, shown.length + 1);
    expect((await callsOf(page)).slice(shown.length)).toEqual(['POST:/things/forward']);
    expect(host.attempts).toBe(4);
  });

  browserTest('stays closed in the back/forward cache if it was', async () => {
    const host = await startHost();
    const page = await openPage(await openContext(), host.url);
    await page.evaluate(() => live.close());
    await page.goto(`${host.url}elsewhere`);
    await page.goBack(SHOWN);
    await until(() => page.evaluate(() => events.includes('persisted')));
    expect([await stateOf(page), host.attempts]).toEqual(['closed', 1]);
  });
});

describe('in Chromium, two tabs', () => {
  browserTest('each hear everything once, and each can leave out what it caused itself', async () => {
    const host = await startHost();
    const context = await openContext();
    const tabs = [await openPage(context, host.url), await openPage(context, host.url)] as const;
    await host.post('/things/theirs');
    for (const [index, tab] of tabs.entries()) {
      await tab.evaluate(
        (path) => fetch(path, { method: 'POST', headers: live.headers() }).then(() => {}),
        `/things/of-${index}`,
      );
      await Promise.all(tabs.map((each) => untilCalls(each, 2 + index)));
    }
    const all = ['POST:/things/theirs', 'POST:/things/of-0', 'POST:/things/of-1'];
    for (const [index, tab] of tabs.entries()) {
      expect(await callsOf(tab)).toEqual(all);
      expect(await tab.evaluate(() => others)).toEqual(all.filter((topic) => !topic.endsWith(`of-${index}`)));
    }
  });
});
