import { IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Refusal, refuse } from '../websocket/refusal.ts';

/** An upgrade that other listeners left without an answer for so long is refused instead of hanging. */
const UNCLAIMED_MS = 10_000;

/** Other listeners have the first word; what they leave alone gets an answer in the end. */
export function refuseUnclaimed({ socket: line }: IncomingMessage, socket: Duplex): void {
  const { bytesWritten } = line;
  setTimeout(() => {
    const untouched = line.bytesWritten === bytesWritten;
    if (!socket.destroyed && untouched && socket.listenerCount('data') === 0)
      refuse(socket, new Refusal(404, 'UNCLAIMED', 'Nothing here takes this upgrade.'));
  }, UNCLAIMED_MS).unref();
}

/**
 * What Node 20 would have done without us: an upgrade that nobody takes is an ordinary request. Its connection ends
 * with the response.
 */
export function serveAsRequest(
  server: Pick<Server, 'emit'> & { requestTimeout?: number },
  upgrade: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): boolean {
  // The parser goes on to read the body, as it does from Node 26 on; `socket` is what comes after it.
  const isRead = !upgrade.complete || upgrade.readableLength > 0;
  if (!isRead && upgrade.headers['transfer-encoding'] !== undefined) {
    refuse(socket, new Refusal(411, 'LENGTH_REQUIRED', 'A body with an Upgrade needs a Content-Length.'));
    return true;
  }
  const request = isRead ? upgrade : withBody(upgrade, socket, head, server.requestTimeout ?? 0);
  // Node itself would leave it open when the client goes.
  if (isRead) socket.once('close', () => upgrade.destroy());
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  if (/^100-continue$/i.test(upgrade.headers.expect ?? '')) response.writeContinue();
  response.once('finish', () => socket.end(() => socket.destroy()));
  socket.on('error', () => response.destroy());
  return server.emit('request', request, response);
}

/** The parser ended the request at its head and let go of the socket: the same one again, with the body still to come. */
function withBody(
  upgrade: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  timeoutMs: number,
): IncomingMessage {
  let left = Number(upgrade.headers['content-length'] ?? 0);
  if (left === 0) return upgrade;
  const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } = upgrade;
  const request = Object.assign(new IncomingMessage(socket as Socket), {
    method,
    url,
    headers,
    rawHeaders,
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
  });
  request._read = () => socket.resume();
  // The server's own watch over slow requests ended with its parser.
  const deadline = timeoutMs > 0 ? setTimeout(() => socket.destroy(), timeoutMs).unref() : undefined;
  const take = (chunk: Buffer) => {
    const piece = chunk.subarray(0, left);
    left -= piece.length;
    if (piece.length > 0 && !request.push(piece)) socket.pause();
    if (left > 0) return;
    socket.off('data', take);
    clearTimeout(deadline);
    request.complete = true;
    request.push(null);
  };
  socket.on('data', take);
  socket.once('close', () => {
    clearTimeout(deadline);
    request.destroy();
  });
  take(head);
  return request;
}
