import { browserTest, launch } from '../browser/chromium.ts';
import { startExample } from '../support/example.ts';
import { testWithRedis } from '../support/redis.ts';
import { afterwards, until } from '../support/server.ts';

const testHere = testWithRedis === test ? browserTest : testWithRedis;

testHere(
  'a page behind two nodes hears both, and misses nothing when its own is killed',
  async () => {
    const url = await startExample('two-nodes/server.js');
    const browser = await launch();
    afterwards(() => browser.close());
    const page = await browser.newPage();
    await page.goto(url);
    const numbers = async () => (await page.locator('dd').allInnerTexts()).slice(1).map(Number);
    const own = page.locator('article[data-socket]');
    const first = await own.getAttribute('data-node');
    const heardFrom = (node: string) => page.locator(`#ticks [data-heard][data-node=${node}]`).count();
    await until(async () => (await heardFrom('a')) > 0 && (await heardFrom('b')) > 0);

    await page.locator(`[data-kill=${first}]`).click();
    await page.locator(`article[data-socket]:not([data-node=${first}])`).waitFor();
    const [announced] = await numbers();
    await until(async () => ((await numbers())[0] as number) > (announced as number) + 3);
    await until(async () => (await numbers())[2] === 0);
    const [inJournal, heard, missed, refreshed] = await numbers();
    expect([heard, missed, refreshed]).toEqual([inJournal, 0, 0]);
    // It comes back, and its requests are heard by the page that is on the other.
    const before = await heardFrom(first as string);
    await until(async () => (await heardFrom(first as string)) > before);
  },
  60_000,
);
