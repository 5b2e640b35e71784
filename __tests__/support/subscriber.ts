import { WebSocket } from 'ws';
import { afterwards, until } from './server.ts';

export const HUB_TOKEN = Buffer.from('woknotifications').toString('base64url');

/** A WebSocket with what came over it. */
export interface Wire {
  ws: WebSocket;
  /** Messages, as they came. */
  messages: Array<{ data: Buffer; isBinary: boolean }>;
  /** All text so far. */
  text(): string;
  closed: Promise<{ code: number; reason: string }>;
}

export async function openWire(
  port: number,
  protocols: string[],
  options: { path?: string; token?: string; headers?: Record<string, string> } = {},
): Promise<Wire> {
  const { path = '/websockify', token = HUB_TOKEN, headers } = options;
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}?token=${token}`, protocols, { headers });
  afterwards(() => ws.terminate());
  const messages: Wire['messages'] = [];
  ws.on('message', (data: Buffer, isBinary) => messages.push({ data, isBinary }));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    ws.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  await new Promise<void>((resolve, reject) => {
    ws.once('open', () => resolve());
    ws.once('error', reject);
  });
  return { ws, messages, closed, text: () => messages.map(({ data }) => data.toString()).join('') };
}

/** Enters with `reqcast.v1`; resolves after the first line. */
export async function subscribe(
  port: number,
  patterns = ['*:/**'],
  since = '-',
  options = {},
): Promise<Wire> {
  const wire = await openWire(port, ['reqcast.v1'], options);
  wire.ws.send([`since ${since}`, ...patterns.map((pattern) => `+${pattern}`)].join('\n'));
  await until(() => wire.messages.length > 0);
  return wire;
}

/** The lines that are topics, with their data. */
export function topicsOf(wire: Wire): string[] {
  return wire
    .text()
    .split('\n')
    .filter((line) => line !== '' && line[0] !== '@');
}

/** The HTTP status and body with which an upgrade is refused. */
export function refusal(
  url: string,
  protocols: string[] = [],
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, protocols, { headers });
    ws.once('open', () => reject(new Error('it opened')));
    ws.once('error', reject);
    ws.once('unexpected-response', (_, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode as number, body }));
    });
  });
}
