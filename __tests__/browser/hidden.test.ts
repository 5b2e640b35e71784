import type { Page } from 'playwright-core';
import { until } from '../support/server.ts';
import { callsOf, openPage, startHost, untilState } from './attached.ts';
import { browserTest, launchPlain } from './chromium.ts';

declare const events: string[];

/** A page behind another tab. Left alone, it would wait for most of 30 s after a loss. */
async function hidePage() {
  const host = await startHost();
  const context = await launchPlain();
  await context.addInitScript(() => {
    Math.random = () => 0.9;
  });
  const page = await openPage(context, host.url);
  const other = await context.newPage();
  await other.bringToFront();
  await until(() => page.evaluate(() => document.hidden));
  const session = await context.newCDPSession(page);
  const become = (state: 'frozen' | 'active') => session.send('Page.setWebLifecycleState', { state });
  return { host, page, become };
}

const untilCalls = (page: Page, count: number) => until(async () => (await callsOf(page)).length >= count);

describe('in Chromium, a hidden page', () => {
  browserTest('that lost its connection tries as soon as it is seen', async () => {
    const { host, page } = await hidePage();
    host.cut();
    await untilState(page, 'waiting');
    await host.post('/things/meanwhile');
    expect(host.attempts).toBe(1);
    await page.bringToFront();
    await untilCalls(page, 1);
    expect([await callsOf(page), host.attempts]).toEqual([['POST:/things/meanwhile'], 2]);
  });

  // Chromium itself may end a frozen page's connection; whoever ends it, it is resumed.
  browserTest.each([
    ['left alone', false],
    ['cut', true],
  ])('that is frozen hears once what came meanwhile, its connection %s', async (_name, isCut) => {
    const { host, page, become } = await hidePage();
    await become('frozen');
    await host.post('/things/before');
    if (isCut) host.cut();
    await host.post('/things/meanwhile');
    await become('active');
    await page.bringToFront();
    await host.post('/things/after');
    await untilCalls(page, 3);
    expect(await callsOf(page)).toEqual([
      'POST:/things/before',
      'POST:/things/meanwhile',
      'POST:/things/after',
    ]);
    expect(await page.evaluate(() => events)).toEqual(['freeze', 'resume']);
  });
});
