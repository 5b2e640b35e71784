import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { start } from './server.js';

const DOCS = new URL('../../docs/', import.meta.url);
const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** What is done before the picture is taken: who, method, path, body. */
const TRAFFIC = [
  ['root', 'POST', '/plugins/ginger/users', { name: 'lucia', fullName: 'Lucia Rossi', group: 'operators' }],
  ['ana', 'POST', '/plugins/kimchi/vms', { name: 'web-3' }],
  ['ana', 'POST', '/plugins/kimchi/vms/web-3/start'],
  ['kenji', 'POST', '/plugins/kimchi/vms/staging/start'],
  ['kenji', 'POST', '/plugins/kimchi/vms', { name: 'web-1' }],
  ['root', 'DELETE', '/plugins/ginger/users/marta'],
  ['ana', 'POST', '/plugins/kimchi/vms/staging/stop'],
  ['ana', 'POST', '/plugins/kimchi/vms/staging/clone'],
  ['kenji', 'DELETE', '/plugins/kimchi/vms/database'],
  ['root', 'DELETE', '/plugins/kimchi/vms/mail'],
  ['root', 'POST', '/plugins/ginger/users', { name: 'tomas', fullName: 'Tomas Novak' }],
];
/** Done while the page is open, so that the picture shows it coming in. */
const LATE = [
  ['kenji', 'POST', '/plugins/kimchi/vms/web-2/clone'],
  ['ana', 'POST', '/plugins/kimchi/vms/web-1/stop'],
];

const demo = await start({ port: 0, cloneMs: 1500 });
const browser = await chromium.launch({ executablePath: BROWSER, args: [...FLAGS, ...QUIET] });
try {
  await mkdir(DOCS, { recursive: true });
  await play(TRAFFIC);
  for (const [colorScheme, file] of [
    ['light', 'user-log.png'],
    ['dark', 'user-log-dark.png'],
  ])
    await picture(colorScheme, fileURLToPath(new URL(file, DOCS)));
} finally {
  await browser.close();
  await demo.close();
}

async function picture(colorScheme, path) {
  const viewport = { width: 1280, height: 760 };
  const context = await browser.newContext({ colorScheme, viewport, deviceScaleFactor: 2, locale: 'en-US' });
  const page = await context.newPage();
  await page.goto(demo.url);
  await page.locator('#connection[data-state=live]').waitFor();
  await page.locator('#rows tr').first().waitFor();
  await page.locator('.pill-progress').waitFor({ state: 'detached' });
  if (colorScheme === 'light') {
    await play(LATE);
    await page.locator('#rows tr', { hasText: 'Stop virtual machine “web-1”' }).waitFor();
  }
  await page.screenshot({ path });
  await context.close();
}

async function play(traffic) {
  for (const [user, method, path, body] of traffic) {
    const headers = { 'X-Demo-User': user, 'Content-Type': 'application/json' };
    await fetch(demo.url + path, { method, headers, body: body && JSON.stringify(body) });
  }
}
