import { chromium } from 'playwright-core';
import { start } from './server.js';

const demo = await start({ port: 0, password: 'x' });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
for (const [w,h,s] of [[1200,780,'light'],[1200,780,'dark'],[360,700,'light'],[360,700,'dark']]) {
  const c = await browser.newContext({ viewport: {width:w,height:h}, colorScheme: s });
  const page = await c.newPage();
  page.on('console', m=>console.log(m.text())); page.on('pageerror', e=>console.log(String(e)));
  await page.goto(demo.url);
  await page.fill('[name=password]', 'y'); await page.click('button');
  await page.screenshot({path:`/tmp/xv/login-${w}-${s}.png`});
  await page.fill('[name=password]', 'x'); await page.click('button');
  await page.locator('[data-state=live]').waitFor();
  await page.waitForTimeout(1500);
  await page.screenshot({path:`/tmp/xv/screen-${w}-${s}.png`});
  const p2 = await c.newPage(); await p2.goto(demo.url); await p2.locator('[data-state=live]').waitFor();
  await p2.getByText('Log out').click();
  await page.locator('[data-state=closed]').waitFor();
  await page.screenshot({path:`/tmp/xv/ended-${w}-${s}.png`});
  await c.close();
}
await browser.close(); await demo.close();
