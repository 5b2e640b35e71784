import type { Page } from 'playwright-core';
import { browserTest, launch } from '../browser/chromium.ts';
import { startExample } from '../support/example.ts';
import { testWith } from '../support/program.ts';
import { afterwards, until } from '../support/server.ts';
import { refusal } from '../support/subscriber.ts';

// A display, a browser and a bundler start for one test; on a busy machine that takes its time.
jest.setTimeout(60_000);

const PASSWORD = 'sesame';
const DESKTOP_TOKEN = 'ZGVza3RvcA';
/** The example's first background and one that it does not use, as red, green, blue. */
const FIRST = '36,48,74';
const SECOND = '18,52,86';

const desktopTest = testWith('Xvnc', 'tigervnc-standalone-server');
const screenTest = [
  browserTest,
  desktopTest,
  testWith('xterm', 'xterm'),
  testWith('xsetroot', 'x11-xserver-utils'),
].every((it) => it === test)
  ? test
  : test.skip;

const startDesktop = () => startExample('novnc/server.js', { PASSWORD });
const tunnelOf = (url: string) => `${url.replace('http', 'ws')}/websockify?token=${DESKTOP_TOKEN}`;

async function openPage(url: string): Promise<Page> {
  const browser = await launch();
  afterwards(() => browser.close());
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  return page;
}

const isLive = (page: Page) => page.locator('#state[data-state=live]').waitFor();

async function logIn(page: Page): Promise<void> {
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await isLive(page);
}

/** The remote screen's size, and its pixel in the corner, where no window is. */
function screen(page: Page): Promise<{ size: string; corner: string }> {
  return page.evaluate(() => {
    const canvas = document.querySelector('canvas') as HTMLCanvasElement;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const [red, green, blue] = context.getImageData(4, 4, 1, 1).data;
    return { size: `${canvas.width}x${canvas.height}`, corner: `${red},${green},${blue}` };
  });
}

const isCorner = (page: Page, colour: string) => until(async () => (await screen(page)).corner === colour);

describe('the noVNC example', () => {
  desktopTest('refuses a wrong password, and a tunnel without a session', async () => {
    const url = await startDesktop();

    const body = new URLSearchParams({ password: 'guess' });
    const login = await fetch(`${url}/login`, { method: 'POST', body });

    expect(login.status).toBe(401);
    expect(await login.text()).toContain('That is not the password.');
    expect(login.headers.get('set-cookie')).toBeNull();
    expect(await refusal(tunnelOf(url))).toMatchObject({ status: 401 });
  });

  desktopTest('keeps its session in a cookie that scripts and other sites do not get', async () => {
    const url = await startDesktop();

    const body = new URLSearchParams({ password: PASSWORD });
    const login = await fetch(`${url}/login`, { method: 'POST', body, redirect: 'manual' });

    expect(login.status).toBe(303);
    expect(login.headers.get('set-cookie')).toMatch(/^novnc=.*; HttpOnly; SameSite=Lax$/);
  });

  screenTest('shows the remote screen, and types into it', async () => {
    const page = await openPage(await startDesktop());
    await logIn(page);

    await isCorner(page, FIRST);
    expect((await screen(page)).size).toBe('1024x640');
    await until(async () => {
      // Until the terminal is there, the keys go nowhere.
      await page.locator('canvas').click({ position: { x: 300, y: 300 } });
      await page.keyboard.type('xsetroot -solid rgb:12/34/56\n');
      return (await screen(page)).corner === SECOND;
    });
  });

  screenTest('ends the screens of all windows with the logout', async () => {
    const url = await startDesktop();
    const page = await openPage(url);
    await logIn(page);
    const other = await page.context().newPage();
    await other.goto(url);
    await isLive(other);

    await other.getByRole('button', { name: 'Log out' }).click();

    await page.getByText('The connection has ended').waitFor();
    await page.getByText('Connect again').click();
    await page.getByLabel('Password').waitFor();
  });
});

describe('the serial console example', () => {
  const rows = (page: Page) => page.locator('.xterm-rows');

  browserTest('shows the machine boot, and what it answers', async () => {
    const page = await openPage(await startExample('serial-console/server.js'));

    await rows(page).getByText('Started Serial Getty').waitFor();
    await rows(page).getByText('vm-42 login:').waitFor();
    await page.keyboard.type('ada\r');
    await rows(page).getByText('ada@vm-42').waitFor();
    await page.keyboard.type('unami\x7f\x7fme\r');

    await rows(page).getByText('Linux vm-42').waitFor();
  });

  browserTest('says when the machine is off, and switches it on again', async () => {
    const page = await openPage(await startExample('serial-console/server.js'));
    await isLive(page);
    await page.keyboard.type('ada\rpoweroff\r');

    await page.getByText('The machine is off').waitFor();
    await page.getByRole('button', { name: 'Switch on' }).click();

    await isLive(page);
    await rows(page).getByText('vm-42 login:').waitFor();
  });
});
