import type { Notification } from '../protocol/notification.ts';
import { type Answer, CLIENT_HEADER, HEARTBEAT_MS, SUBPROTOCOL } from '../protocol/wire.ts';
import { attempt } from './attempt.ts';
import { bytesOf } from './bytes.ts';
import { endpointOf, HUB_BASE64URL } from './endpoint.ts';
import { createIdentity } from './identity.ts';
import { later } from './later.ts';
import { pageListeners, type Registration } from './listeners.ts';
import type { ConnectOptions, Live, State } from './live.ts';
import { loadedAt, watchPage } from './page.ts';
import { lineReader, linesOf, positionOf, type Said } from './reader.ts';

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
  const endpoint = endpointOf(url, token);
  const ended = new AbortController();
  const identity = createIdentity();
  let state: State = 'connecting';
  /** The position, as it is written. */
  let reached = loadedAt();
  /** Nothing before the first attempt, for which an offline browser waits. */
  let socket: WebSocket;
  /** What comes when nothing else does: the connection is taken for dead, or the next attempt is made. */
  let patience: ReturnType<typeof later>;
  /** When that is, since timers stand still while a machine sleeps. */
  let patientUntil: number;
  let beat: ReturnType<typeof later>;
  let failures = 0;
  /** There was a time without a connection. */
  let missed = false;
  /** The listeners have yet to be told of a `resync`. */
  let owed = false;
  /** Until then they wait, so that not all pages refresh at once. */
  let spread: ReturnType<typeof later> | undefined;
  /** While a message tells what changed: who was called for it. */
  let changed: Registration[] | undefined;

  const { all, patterns, prune, add, each } = pageListeners((line) => {
    if (hasLines() && line.includes(':')) socket.send(line);
  });

  /** Whether the connection is open and speaks `reqcast.v1`. */
  function hasLines(): boolean {
    return socket?.readyState === 1 && socket.protocol === SUBPROTOCOL;
  }

  function become(next: State): void {
    if (state === next || state === 'closed') return;
    state = next;
    each('state', () => next);
  }

  function wait(act: () => void, ms: number): void {
    clearTimeout(patience);
    patience = later(act, ms);
    patientUntil = Date.now() + ms;
  }

  function open() {
    if (globalThis.navigator?.onLine === false) return lose(maxMs);
    socket = new Class(endpoint, [SUBPROTOCOL, 'base64', 'binary']) as WebSocket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      const obey = lineReader(frame, start, lose, identity);
      const lines = linesOf(!hasLines());
      socket.onmessage = ({ data }) => {
        hear();
        for (const line of lines(data)) attempt(obey, line);
        changed = undefined;
      };
      beat = later(pulse, heartbeatMs);
      hear();
      if (hasLines()) socket.send([`since ${reached || '-'}`, ...patterns()].join('\n+'));
      else obey('@ live');
    };
    socket.onclose = ({ code, reason }) => {
      // policyViolation, tooBig, badLine: the same would happen again.
      if (![1008, 1009, 4400].includes(code)) return lose();
      console.error('reqcast: refused:', reason);
      close();
    };
    // The class of `ws` throws an error that nobody handles; its close follows.
    socket.onerror = () => {};
    hear();
    become('connecting');
  }

  /** A heartbeat may be late, but not as late as the next. On the other wires an open connection may be silent for days. */
  function hear(): void {
    wait(lose, socket.readyState && !hasLines() ? 1e9 : 1.5 * heartbeatMs);
  }

  function pulse(): void {
    const word = 'heartbeat';
    socket.send(hasLines() ? word : socket.protocol === 'base64' ? btoa(word) : bytesOf(word));
    beat = later(pulse, heartbeatMs);
  }

  function start(answer: Answer, from: string, overMs?: number): void {
    const resync = answer === 'resync' || (missed && !(from && reached));
    owed ||= resync;
    reached = from;
    failures = 0;
    changed = answer === 'changed' ? [] : undefined;
    // What waits already waits for this one too.
    if (resync && overMs) spread ??= later(refresh, Math.random() * overMs);
    become('live');
    if (!spread || (resync && !overMs)) refresh();
  }

  /** Without a connection a refresh would fail: it stays owed until there is one. */
  function refresh(): void {
    clearTimeout(spread);
    spread = undefined;
    if (owed && state === 'live') {
      owed = false;
      notify('resync');
    }
  }

  function frame(said: readonly Said[], to: string): void {
    reached = to;
    for (const one of said) notify(changed && 'changed', one);
  }

  /** Calls those whom it concerns; all, with their patterns, when nothing is said. */
  function notify(replay: Notification['replay'], said?: Said): void {
    each(
      said?.topic,
      (topic) => ({ topic, ...said, replay, position: positionOf(reached), time: Date.now() }),
      changed,
    );
  }

  function drop(): void {
    clearTimeout(beat);
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** Behind what nobody looks at, there is no hurry. */
  function lose(
    afterMs = Math.random() *
      (globalThis.document?.hidden ? maxMs : Math.min(maxMs, minMs * 2 ** failures++)),
  ): void {
    drop();
    missed = true;
    wait(open, afterMs);
    become('waiting');
  }

  function close(): void {
    drop();
    clearTimeout(patience);
    clearTimeout(spread);
    ended.abort();
    become('closed');
    all.clear();
  }

  function woke(): void {
    // A hidden page keeps to its time, so that `bye` spreads as the server wants it.
    if (globalThis.document?.hidden) return;
    if (state === 'waiting') open();
    else if (Date.now() > patientUntil) lose(0);
  }

  watchPage(prune, woke, () => lose(maxMs), ended.signal);

  open();
  return {
    get state() {
      return state;
    },
    get position() {
      return positionOf(reached);
    },
    headers: () => ({ [CLIENT_HEADER]: identity.name }),
    on: add,
    addNotificationListener(topic, listener, persist) {
      return add(topic, listener, {}, true, persist ? undefined : globalThis.location?.href);
    },
    close,
  };
}
