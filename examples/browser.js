import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];

/** A page of an installed Chromium, for as long as `use` takes. */
export async function withPage(options, use) {
  const browser = await chromium.launch({ executablePath, args });
  try {
    await use(await browser.newPage(options));
  } finally {
    await browser.close();
  }
}

/** Where the README's pictures are. */
export function picture(name) {
  return fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
}
