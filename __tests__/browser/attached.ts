import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { Socket } from 'node:net';
import type { BrowserContext, Page } from 'playwright-core';
import type { Live } from '../../lib/client/index.ts';
import { type AttachOptions, attach } from '../../lib/index.ts';
import { afterwards, listen, send, until } from '../support/server.ts';

/** What the pages' scripts have. */
declare const live: Live;
declare const calls: string[];

/** Connects, and writes down what happens. */
const SCRIPT = `
  import { connect } from '/client.js';
  const live = connect();
  window.live = live;
  live.on('*:/things/**', ({ topic, replay }) => calls.push(replay ? topic + ' ' + replay : topic));
  live.on('*:/things/**', ({ topic }) => others.push(topic), { own: false });`;

const HEAD = `<!doctype html><title>page</title><script>
  window.calls = [];
  window.others = [];
  window.events = [];
  addEventListener('pageshow', ({ persisted }) => persisted && events.push('persisted'));
  for (const name of ['freeze', 'resume']) document.addEventListener(name, () => events.push(name));
</script>`;

export interface Host {
  readonly url: string;
  /** How often a WebSocket was asked for. */
  readonly attempts: number;
  /** Makes a change, as some other client of the API. */
  post(path: string): Promise<unknown>;
  /** Cuts every connection. */
  cut(): void;
  /** How many WebSockets are open. */
  open(): number;
}

/**
 * A server with the real `attach`: the page at `/`, one without a client at `/elsewhere`, and an API. `beforeScript`
 * holds back the client's script.
 */
export async function startHost(
  options: AttachOptions = {},
  beforeScript: () => unknown = () => {},
): Promise<Host> {
  const server = http.createServer(async (request, response) => {
    if (request.method !== 'GET') return response.writeHead(201).end();
    if (request.url === '/client.js') {
      await beforeScript();
      return response.setHeader('Content-Type', 'text/javascript').end(await readFile('dist/client.js'));
    }
    response.setHeader('Content-Type', 'text/html').setHeader('Server-Timing', 'db;dur=53');
    return response.end(HEAD + (request.url === '/' ? `<script type="module">${SCRIPT}</script>` : ''));
  });
  let attempts = 0;
  const upgraded = new Set<Socket>();
  const host = attach(server, {
    authorize: ({ socket }) => {
      attempts++;
      upgraded.add(socket);
      socket.once('close', () => upgraded.delete(socket));
      return true;
    },
    ...options,
  });
  afterwards(() => host.close());
  await host.ready;
  const port = await listen(server);
  return {
    url: `http://localhost:${port}/`,
    get attempts() {
      return attempts;
    },
    post: (path) => send(port, 'POST', path),
    cut: () => {
      for (const socket of upgraded) socket.destroy();
    },
    open: () => upgraded.size,
  };
}

export const stateOf = (page: Page) => page.evaluate(() => live.state);
export const callsOf = (page: Page) => page.evaluate(() => calls);

export async function untilState(page: Page, state: string): Promise<void> {
  await until(async () => (await stateOf(page)) === state);
}

/** A page of the host, with its connection live. */
export async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => 'live' in window);
  await untilState(page, 'live');
  return page;
}
