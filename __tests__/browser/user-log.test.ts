import type { Page } from 'playwright-core';
import { startExample } from '../support/example.ts';
import { afterwards } from '../support/server.ts';
import { browserTest, launch } from './chromium.ts';

const isLive = (page: Page) => page.locator('#connection[data-state="live"]').waitFor();

describe('the User Log demo', () => {
  browserTest('shows in one window what another changes, and marks it', async () => {
    const url = await startExample('user-log/server.js');
    const browser = await launch();
    afterwards(() => browser.close());
    const [log, users] = [await browser.newPage(), await browser.newPage()];
    await Promise.all([log.goto(url), users.goto(`${url}/ginger.html`)]);
    await Promise.all([isLive(log), isLive(users)]);
    const reply = await fetch(`${url}/plugins/ginger/users`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Demo-User': 'root' },
      body: JSON.stringify({ name: 'zoe' }),
    });
    expect(reply.status).toBe(201);
    await users.getByText('zoe').first().waitFor();
    const row = log.locator('#rows tr').first();
    await row.getByText('zoe').waitFor();
    expect(await row.innerText()).toMatch(/ginger\s+root\s+127\.0\.0\.1\s+POST/);
  });
});
