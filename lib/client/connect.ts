import type { Notification } from '../protocol/notification.ts';
import type { Position } from '../protocol/position.ts';
import { type Answer, HEARTBEAT_MS, SUBPROTOCOL } from '../protocol/wire.ts';
import { later } from './later.ts';
import { pageListeners, type Registration } from './listeners.ts';
import type { ConnectOptions, Live, State } from './live.ts';
import { bytesOf, lineReader, type Said, streamReader } from './reader.ts';

/** `HUB_TOKEN` in base64url. */
const HUB_BASE64URL = 'd29rbm90aWZpY2F0aW9ucw';

/** The one method that is used of `window` and of its `navigation`, which not every browser has. */
type Page = Pick<EventTarget, 'addEventListener'>;

/**
 * Connects to the notifications of the server that the page came from, or of `url`. It reconnects by itself, resumes
 * where it was, and says when it cannot.
 *
 * @throws Error when there is no WebSocket class, TypeError when the URL is none
 */
export function connect({
  url = '/websockify',
  token = HUB_BASE64URL,
  WebSocket: Class = globalThis.WebSocket,
  reconnect: { minMs = 1000, maxMs = 30_000 } = {},
  heartbeatMs = HEARTBEAT_MS,
}: ConnectOptions = {}): Live {
  if (!Class) throw new Error('reqcast: give connect({ WebSocket })');
  const endpoint = new URL(url, globalThis.location?.href);
  const { searchParams } = endpoint;
  if (!searchParams.has('token')) searchParams.set('token', token);

  const ended = new AbortController();
  let state: State = 'connecting';
  /** The position, as it is written. */
  let reached = loadedAt();
  let socket: WebSocket;
  /** Whether the connection is open and speaks `reqcast.v1`. */
  let hasLines = false;
  /** Until the connection is taken for dead, or until the next attempt. */
  let patience: ReturnType<typeof later>;
  let beat: ReturnType<typeof later>;
  let failures = 0;
  /** There was a time without a connection. */
  let missed = false;
  /** While a message tells what changed: who was called for it. */
  let changed: Registration[] | undefined;

  const { all, patterns, prune, add, each } = pageListeners((line) => {
    if (hasLines) socket.send(line);
  });

  function become(next: State): void {
    if (state === next || state === 'closed') return;
    state = next;
    each(({ pattern }) => pattern === 'state' && next);
  }

  function open(): void {
    const ws = new Class(endpoint.href.replace(/^http/, 'ws'), [
      SUBPROTOCOL,
      'base64',
      'binary',
    ]) as WebSocket;
    let read: (message: never) => void;
    socket = ws;
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => {
      hasLines = ws.protocol === SUBPROTOCOL;
      read = (hasLines ? lineReader : streamReader)(frame, start, lose);
      beat = later(pulse, heartbeatMs);
      hear();
      if (hasLines) ws.send([`since ${reached ?? '-'}`, ...patterns()].join('\n+'));
      else start();
    };
    ws.onmessage = ({ data }) => {
      hear();
      read(data as never);
      changed = undefined;
    };
    ws.onclose = ({ code, reason }) => {
      // policyViolation, tooBig, badLine: the same would happen again.
      if (![1008, 1009, 4400].includes(code)) return lose();
      console.error('reqcast: refused:', reason);
      close();
    };
    // The class of `ws` throws an error that nobody handles; its close follows.
    ws.onerror = () => {};
    hear();
    become('connecting');
  }

  /** On the other wires an open connection may be silent for ever. */
  function hear(): void {
    clearTimeout(patience);
    // One heartbeat may be lost, and the next be late.
    if (hasLines || !socket.readyState) patience = later(lose, 2.5 * heartbeatMs);
  }

  function pulse(): void {
    const word = 'heartbeat';
    socket.send(hasLines ? word : socket.protocol === 'base64' ? btoa(word) : bytesOf(word));
    beat = later(pulse, heartbeatMs);
  }

  function start(answer?: Answer, from?: string): void {
    const resync = answer === 'resync' || (missed && !(from && reached));
    reached = from;
    failures = 0;
    changed = answer === 'changed' ? [] : undefined;
    become('live');
    if (resync) notify('resync');
  }

  function frame(said: readonly Said[], to?: string): void {
    reached = to;
    for (const one of said) notify(changed && 'changed', one);
    changed = undefined;
  }

  /** Calls those whom it concerns; all, with their patterns, when nothing is said. */
  function notify(replay: Notification['replay'], said?: Said): void {
    const position = positionOf(reached);
    const time = Date.now();
    each(
      ({ pattern, matches, replays }) =>
        (said ? matches(said.topic) : pattern !== 'state') &&
        (replays || !replay) && { topic: pattern, ...said, replay, position, time },
      changed,
    );
  }

  function drop(): void {
    hasLines = false;
    clearTimeout(patience);
    clearTimeout(beat);
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  function lose(afterMs = Math.random() * Math.min(maxMs, minMs * 2 ** failures++)): void {
    drop();
    missed = true;
    patience = later(open, afterMs);
    become('waiting');
  }

  function close(): void {
    drop();
    ended.abort();
    become('closed');
    all.clear();
  }

  function wake(): void {
    if (state === 'waiting') open();
  }

  const page = globalThis as Partial<Page> & { navigation?: Page };
  // The controller has the one option that is needed, its signal.
  for (const name of ['online', 'hashchange', 'popstate'])
    page.addEventListener?.(name, name === 'online' ? wake : prune, ended);
  page.navigation?.addEventListener('currententrychange', prune, ended);

  open();
  return {
    get state() {
      return state;
    },
    get position() {
      return positionOf(reached);
    },
    on: add,
    addNotificationListener(topic, listener, persist) {
      return add(topic, listener, {}, true, persist ? undefined : globalThis.location?.href);
    },
    close,
  };
}

/** Where the journal was when the server answered with this page. */
function loadedAt(): string | undefined {
  const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return load?.serverTiming?.find(({ name }) => name === 'reqcast')?.description;
}

/** What the server wrote is taken at its word. */
function positionOf(text: string | undefined): Position | undefined {
  if (!text) return undefined;
  const [epoch, offset] = text.split(':') as [string, string];
  return { epoch, offset: +offset };
}
