import { picture, withPage } from '../browser.js';
import { start } from './server.js';

const viewport = { width: 800, height: 550 };

const demo = await start({ port: 0 });
try {
  await withPage({ viewport, deviceScaleFactor: 2, colorScheme: 'light' }, async (page) => {
    const requests = page.locator('#ticks [data-heard]');
    await page.goto(demo.url);
    await requests.nth(29).waitFor();
    await page.locator('article[data-socket] button').click();
    await page.locator('article[data-socket]:not([data-down])').waitFor();
    await requests.nth(35).waitFor();
    await page.locator('h1').hover();
    await page.screenshot({ path: picture('two-nodes.png') });
  });
} finally {
  await demo.close();
}
