import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { type WebSocket, WebSocketServer } from 'ws';
import { afterwards, listen, until } from '../support/server.ts';
import { browserTest, launch } from './chromium.ts';

const BUILDS = {
  'as a module': `<script type="module">
    import { connect } from '/client.js';
    Object.assign(window, { live: connect() });
  </script>`,
  'as a plain script': `<script src="/client.global.js"></script>
    <script>window.live = reqcast.connect();</script>`,
};

/** What the page's scripts see. */
interface Client {
  state: string;
  position: unknown;
  on(name: string, listener: (value: unknown) => void): () => void;
  addNotificationListener(topic: string, listener: (topic: string) => void, persist?: boolean): () => void;
}
declare const live: Client;
declare const calls: string[];

interface Host {
  readonly url: string;
  readonly heard: string[];
  readonly sockets: WebSocket[];
}

/** Serves the page at every path, the builds, and a WebSocket that answers `live`. */
async function startHost(page: string): Promise<Host> {
  const server = http.createServer(async (request, response) => {
    const file = /^\/(client(?:\.global)?\.js)$/.exec(request.url as string)?.[1];
    if (file)
      return response.setHeader('Content-Type', 'text/javascript').end(await readFile(`dist/${file}`));
    response.setHeader('Content-Type', 'text/html').setHeader('Server-Timing', 'reqcast;desc="e:7"');
    return response.end(`<!doctype html><title>page</title><script>window.calls = [];</script>${page}`);
  });
  const heard: string[] = [];
  const sockets: WebSocket[] = [];
  const endpoint = new WebSocketServer({ server, handleProtocols: () => 'reqcast.v1' });
  endpoint.on('connection', (ws) => {
    sockets.push(ws);
    let wishes = 0;
    ws.on('message', (data) => {
      heard.push(String(data));
      const [, position] = /^since (\S+)/.exec(String(data)) ?? [];
      const answer = ++wishes > 1 ? wishes : sockets.length > 1 ? 'replayed' : 'live';
      if (position) ws.send(`@${position} ${answer}\n`);
    });
  });
  const port = await listen(server);
  afterwards(() => {
    for (const ws of sockets) ws.terminate();
  });
  return { url: `http://localhost:${port}/`, heard, sockets };
}

const isLive = (page: Page) => page.waitForFunction(() => live.state === 'live');

describe.each(Object.entries(BUILDS))('the client %s', (_name, script) => {
  let browser: Browser | undefined;
  afterAll(() => browser?.close());

  async function openPage(): Promise<{ page: Page; host: Host; announce: (topic: string) => void }> {
    browser ??= await launch();
    const host = await startHost(script);
    const page = await browser.newPage();
    afterwards(() => page.close());
    await page.goto(host.url);
    await page.waitForFunction(() => 'live' in window);
    await isLive(page);
    let offset = 7;
    const announce = (topic: string) => host.sockets.at(-1)?.send(`${topic}\n@e:${++offset}\n`);
    return { page, host, announce };
  }

  async function callsOf(page: Page, count: number): Promise<string[]> {
    await page.waitForFunction((wanted) => calls.length >= wanted, count);
    return page.evaluate(() => calls);
  }

  browserTest('resumes from the page load, and calls its listeners', async () => {
    const { page, host, announce } = await openPage();
    expect(host.heard[0]).toBe('since e:7');
    await page.evaluate(() => live.on('*:/ginger/**', (value) => calls.push(JSON.stringify(value))));
    await until(() => host.heard.includes('since e:7\n+*:/ginger/**'));
    announce('POST:/ginger/users {"id":"ä"}');
    const [call] = await callsOf(page, 1);
    expect(JSON.parse(call as string)).toEqual({
      topic: 'POST:/ginger/users',
      data: { id: 'ä' },
      position: { epoch: 'e', offset: 8 },
      time: expect.any(Number),
    });
  });

  const MOVES = {
    'the hash': () => {
      location.hash = '#other';
    },
    'history.pushState': () => history.pushState(null, '', '/other'),
    'history.replaceState': () => history.replaceState(null, '', '/another'),
  };

  browserTest.each(Object.entries(MOVES))(
    'forgets the listeners of a URL that %s leaves',
    async (_name, move) => {
      const { page, host, announce } = await openPage();
      await page.evaluate(() => {
        live.addNotificationListener('POST:/a', (topic) => calls.push(`passing ${topic}`));
        live.addNotificationListener('POST:/a', (topic) => calls.push(`lasting ${topic}`), true);
        live.addNotificationListener('POST:/b', (topic) => calls.push(`passing ${topic}`));
      });
      await until(() => host.heard.length === 2);
      announce('POST:/a');
      expect(await callsOf(page, 2)).toEqual(['passing POST:/a', 'lasting POST:/a']);
      await page.evaluate(move);
      await until(() => host.heard.at(-1) === 'since e:8\n+POST:/a');
      announce('POST:/b');
      announce('POST:/a');
      expect((await callsOf(page, 3)).slice(2)).toEqual(['lasting POST:/a']);
      expect(host.sockets.length).toBe(1);
    },
  );

  browserTest('forgets them too when the way back is taken', async () => {
    const { page, host } = await openPage();
    await page.evaluate(() => {
      history.pushState(null, '', '/other');
      live.addNotificationListener('POST:/a', () => {});
    });
    await page.goBack();
    await until(() => host.heard.at(-1) === 'since e:7');
  });

  browserTest('connects again after a loss, with its patterns', async () => {
    const { page, host, announce } = await openPage();
    await page.evaluate(() => {
      live.on('POST:/a', () => calls.push('called'));
      live.on('state', (state) => calls.push(state as string));
    });
    await until(() => host.heard.length === 2);
    host.sockets[0]?.terminate();
    await until(() => host.sockets.length === 2 && host.heard.at(-1) === 'since e:7\n+POST:/a');
    expect(await callsOf(page, 3)).toEqual(['waiting', 'connecting', 'live']);
    announce('POST:/a');
    expect((await callsOf(page, 4)).slice(3)).toEqual(['called']);
  });

  browserTest('leaves with its page', async () => {
    const { page, host } = await openPage();
    const closed = new Promise((resolve) => host.sockets[0]?.once('close', resolve));
    await page.goto('about:blank');
    await closed;
  });
});
