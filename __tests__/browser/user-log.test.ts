import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { afterwards } from '../support/server.ts';
import { browserTest, launch } from './chromium.ts';

/** The demo as `npm start` runs it, on a free port. */
async function startDemo(): Promise<string> {
  const demo = spawn(process.execPath, ['examples/user-log/server.js'], {
    env: { ...process.env, PORT: '0' },
  });
  const ended = new Promise((resolve) => demo.once('exit', resolve));
  afterwards(() => {
    demo.kill();
    return ended;
  });
  for await (const line of createInterface({ input: demo.stdout })) {
    const url = /http:\/\/localhost:\d+/.exec(line)?.[0];
    if (url) return url;
  }
  throw new Error('the demo ended');
}

const isLive = (page: Page) => page.locator('#connection[data-state="live"]').waitFor();

describe('the User Log demo', () => {
  browserTest('shows in one window what another changes, and marks it', async () => {
    const url = await startDemo();
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
