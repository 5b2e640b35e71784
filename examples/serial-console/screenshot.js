import { chromium } from 'playwright-core';
import { start } from './server.js';
const demo = await start({ port: 0 });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
for (const [w,h,s] of [[1200,780,'light'],[1200,780,'dark'],[360,700,'light'],[360,700,'dark']]) {
  const c = await browser.newContext({ viewport: {width:w,height:h}, colorScheme: s });
  const page = await c.newPage();
  page.on('console', m=>console.log(m.text())); page.on('pageerror', e=>console.log(String(e)));
  await page.goto(demo.url);
  const rows = page.locator('.xterm-rows');
  await rows.getByText('login:').waitFor();
  await page.keyboard.type('ada\r');
  await rows.getByText('ada@').first().waitFor();
  await page.keyboard.type('help\ruptimw\x7fe\rcolours\r');
  await page.waitForTimeout(700);
  await page.screenshot({path:`/tmp/xv/serial-${w}-${s}.png`});
  await page.keyboard.type('poweroff\r');
  await page.getByText('The machine is off').waitFor();
  await page.screenshot({path:`/tmp/xv/off-${w}-${s}.png`});
  await c.close();
}
await browser.close(); await demo.close();
