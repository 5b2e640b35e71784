import { picture, withPage } from '../browser.js';
import { start } from './server.js';

/** The display's own shape, 1024 × 640, and the bar. */
const viewport = { width: 1024, height: 640 + 49 };
const SHELL = [
  'echo $DISPLAY',
  'uname -o',
  'echo Hello from a machine without a port.',
  'xsetroot -solid "#115e59"',
];

const demo = await start({ port: 0, password: 'for the picture' });
try {
  await withPage({ viewport }, async (page) => {
    await page.goto(demo.url);
    await page.getByLabel('Password').fill('for the picture');
    await page.keyboard.press('Enter');
    await page.locator('#state[data-state=live]').waitFor();
    // What a program on the display does is not to be heard of here: it is given the time.
    await page.waitForTimeout(1500);
    await page.mouse.click(300, 400);
    for (const line of SHELL) {
      await page.keyboard.type(`${line}\n`, { delay: 10 });
      await page.waitForTimeout(300);
    }
    await page.mouse.move(520, 330);
    await page.waitForTimeout(1500);
    await page.screenshot({ path: picture('console-novnc.png') });
  });
} finally {
  await demo.close();
}
