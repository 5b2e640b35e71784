import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why an upgrade request gets no WebSocket: told to the client as an HTTP response, never to the app. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Answers an upgrade request with an HTTP error and closes the connection. */
export function refuse(socket: Duplex, { status, code, message, headers }: Refusal): void {
  if (socket.destroyed || !socket.writable) return;
  // The client may be gone by now, and of that nobody else is told: an error that nobody hears ends the process.
  socket.on('error', () => {});
  const body = `${code}: ${message}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
