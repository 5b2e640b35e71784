import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { afterwards, until } from '../support/server.ts';

/** One connection, as the server has it. */
export interface Peer {
  readonly ws: WebSocket;
  /** The request's URL. */
  readonly url: string;
  /** What the client offered. */
  readonly offered: string[];
  /** Messages of the client; a binary one is a Buffer. */
  readonly heard: Array<string | Buffer>;
}

export interface Notifier {
  readonly url: string;
  readonly peers: Peer[];
  /** The connection with this number, once it is there and, on `reqcast.v1`, has said `since`. */
  peer(index: number): Promise<Peer>;
}

/** A WebSocket server without a will of its own, on a free port. */
export async function startNotifier(protocol = 'reqcast.v1'): Promise<Notifier> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => protocol });
  const peers: Peer[] = [];
  server.on('connection', (ws, request) => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    const peer: Peer = { ws, url: request.url as string, offered, heard: [] };
    ws.on('message', (data: Buffer, isBinary) => peer.heard.push(isBinary ? data : String(data)));
    peers.push(peer);
  });
  await new Promise((resolve) => server.once('listening', resolve));
  afterwards(() => {
    for (const { ws } of peers) ws.terminate();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/websockify`,
    peers,
    peer: (index) =>
      until(() => {
        const peer = peers[index];
        return peer && (protocol !== 'reqcast.v1' || peer.heard.length > 0) ? peer : undefined;
      }),
  };
}
