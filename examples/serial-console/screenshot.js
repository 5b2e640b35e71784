import { picture, withPage } from '../browser.js';
import { start } from './server.js';

const viewport = { width: 800, height: 538 };

const demo = await start({ port: 0 });
try {
  await withPage({ viewport, deviceScaleFactor: 2, colorScheme: 'dark' }, async (page) => {
    const screen = page.locator('.xterm-rows');
    await page.goto(demo.url);
    await screen.getByText('login:').waitFor();
    await page.keyboard.type('ada\r');
    await screen.getByText('ada@vm-42').waitFor();
    await page.keyboard.type('cat motd\rcolours\r');
    await screen.getByText('ada@vm-42').nth(2).waitFor();
    await page.screenshot({ path: picture('console-serial.png') });
  });
} finally {
  await demo.close();
}
