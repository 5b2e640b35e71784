import type { Notification } from '../protocol/notification.ts';
import type { Answer } from '../protocol/wire.ts';
import { attempt } from './attempt.ts';
import { bytesOf } from './bytes.ts';
import { endpointOf } from './endpoint.ts';
import { later } from './later.ts';
import { type Called, call, type Listeners, listen } from './listeners.ts';
import type { ConnectOptions, Live, State } from './live.ts';
import { markOf } from './mark.ts';
import { loadedAt, watchPage } from './page.ts';
import { positionOf } from './position.ts';
import { streamReader } from './stream.ts';

/**
 * Connects to the notifications of the server that the page came from, or of `url`. It reconnects by itself, resumes
 * where it was, and says when it cannot.
 *
 * @throws Error when there is no WebSocket class, TypeError when the URL is none
 */
export function connect({
  url = '/websockify',
  token = btoa('woknotifications').slice(0, 22),
  WebSocket: Class = globalThis.WebSocket,
  reconnect: { minMs = 1000, maxMs = 30_000 } = {},
  heartbeatMs = 30_000,
}: ConnectOptions = {}): Live {
  if (!Class) throw new Error('reqcast: give a WebSocket');
  const endpoint = endpointOf(url, token);
  const ended = new AbortController();
  /** When that is, since timers stand still while a machine sleeps. */
  let patientUntil: number;
  let state: State = 'connecting';
  /** Nothing before the first attempt, for which an offline browser waits. */
  let socket: WebSocket;
  /** The same, while it is open and speaks `reqcast.v1`. */
  let speaker: WebSocket | undefined;
  let beat: ReturnType<typeof later>;
  /**
   * The listeners have yet to be told of a `resync`: when this timer ends, so that not all pages refresh at once, or,
   * if it is 0, with the next connection.
   */
  let owed: ReturnType<typeof later> | 0 | undefined;
  /** Whether the server has yet to tell that it heard all that was said after the first. */
  let unheard: number;
  let ownMark: string;
  /** The position, as it is written. */
  let reached = loadedAt();
  /** What was said since the last position; it counts when the next one is there. */
  let frame: Array<Partial<Notification>> = [];
  /** What this page wants, as it was said last on this connection. */
  let told: string | 0;
  /** Who this page is to the server: 128 random bits. */
  const name = crypto.getRandomValues(new Uint32Array(4)).join('-');
  /** How often it was said. */
  let said: number;
  let failures = 0;
  /** What comes when nothing else does: the connection is taken for dead, or the next attempt is made. */
  let patience: ReturnType<typeof later>;
  let lastLine: string;
  /** While a message tells what changed: who was called for it. */
  let changed: Called | undefined;
  const listeners: Listeners = new Map();
  /** While it is computed. */
  let marking = markOf(name)?.then((mark) => {
    ownMark = mark;
    marking = undefined;
    say();
  });

  /**
   * Says what the page wants, if that is something else, and up to where it knows of everything: what happens until the
   * server hears it is not missed. Not before the page can tell what is its own, for the server announces nothing
   * before it is greeted.
   */
  function say(): void {
    const wanted = [...new Set(listeners.values())].join('');
    if (marking || !speaker || wanted === told) return;
    told = wanted;
    unheard = said++;
    speaker.send(`since ${reached || '-'}${wanted}`);
  }

  /** What changes at a time is said at once. */
  const change = () => queueMicrotask(say);

  function become(next: State): void {
    if (state !== next && state !== 'closed') {
      state = next;
      call(listeners, 'state', { topic: next });
    }
  }

  function wait(act: () => void, ms: number): void {
    clearTimeout(patience);
    if (state === 'closed') return;
    patience = later(act, ms);
    patientUntil = Date.now() + ms;
  }

  function open() {
    if (globalThis.navigator?.onLine === false) return lose(maxMs);
    socket = new Class(endpoint, ['reqcast.v1', 'binary']) as WebSocket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      if (socket.protocol === 'reqcast.v1') speaker = socket;
      told = said = 0;
      const lines = speaker ? (message: string) => message.split('\n') : streamReader();
      socket.onmessage = ({ data }) => {
        hear();
        for (const line of lines(data)) attempt(obey, line);
        changed = undefined;
      };
      beat = setInterval(() => socket.send(speaker ? 'heartbeat' : bytesOf('heartbeat')), heartbeatMs);
      hear();
      if (speaker) say();
      // On a wire without positions there is nothing to resume from.
      else obey(reached ? '@ resync' : '@ live');
    };
    // Node 22's own class tells of a failed attempt by an error alone.
    socket.onclose = socket.onerror = (closed: Partial<CloseEvent>) => {
      // tooBig, badLine: the same would happen again.
      if ([1009, 4400].includes(closed.code as number)) {
        console.error('reqcast:', closed.reason);
        close();
      } else lose();
    };
    hear();
    become('connecting');
  }

  /** A heartbeat may be late, but not as late as the next. On the other wires an open connection may be silent for days. */
  function hear(): void {
    wait(lose, socket.readyState && !speaker ? 1e9 : 1.5 * heartbeatMs);
  }

  function obey(line: string): void {
    const [word, answer, overMs] = line.split(' ') as [string, (Answer | `${number}`)?, string?];
    // A mark is about the next line and no other.
    const own = lastLine === ownMark || undefined;
    lastLine = line;
    if (word[0] === '@') {
      reached = word.slice(1);
      if (answer) {
        failures = 0;
        if (+answer) unheard = said - +answer;
        changed = answer === 'changed' ? {} : undefined;
        // What waits already waits for this one too.
        if (answer === 'resync')
          if (+(overMs as string)) owed ||= later(refresh, Math.random() * +(overMs as string));
          else refresh();
        become('live');
        if (owed === 0) refresh();
      } else frame.forEach(notify);
      frame = [];
    } else if (word === 'bye') lose(+(answer as string));
    else if (/^[A-Z]/.test(word))
      frame.push({
        topic: word,
        data: answer && JSON.parse(line.slice(word.length)),
        own,
        replay: changed && 'changed',
      });
  }

  /** Without a connection a refresh would fail: it stays owed until there is one. */
  function refresh(): void {
    clearTimeout(owed);
    owed = 0;
    if (state === 'live') {
      owed = undefined;
      notify({ replay: 'resync' });
    }
  }

  /** Calls those whom it concerns; all, with their patterns, when there is no topic. */
  function notify(said: Partial<Notification>): void {
    call(listeners, said.topic, { ...said, position: positionOf(reached), time: Date.now() }, changed);
  }

  /** Behind what nobody looks at, there is no hurry. */
  function lose(
    afterMs = Math.random() *
      (globalThis.document?.hidden ? maxMs : Math.min(maxMs, minMs * 2 ** failures++)),
  ): void {
    clearTimeout(beat);
    speaker = undefined;
    if (socket) {
      // The class of `ws` throws an error that nobody handles.
      socket.onmessage = socket.onclose = socket.onerror = () => {};
      socket.close();
    }
    // Nobody will be able to tell what was missed meanwhile, or of what the server may not have heard of.
    if (unheard || !reached) owed ||= 0;
    wait(open, afterMs);
    become('waiting');
  }

  function close(): void {
    become('closed');
    lose();
    clearTimeout(owed);
    ended.abort();
    listeners.clear();
  }

  function woke(): void {
    // A hidden page keeps to its time, so that `bye` spreads as the server wants it.
    if (globalThis.document?.hidden) return;
    if (state === 'waiting') open();
    else if (Date.now() > patientUntil) lose(0);
  }

  watchPage(
    () => call(listeners),
    woke,
    () => lose(maxMs),
    ended.signal,
  );

  open();
  return {
    get state() {
      return state;
    },
    get position() {
      return positionOf(reached);
    },
    headers: () => ({ 'Reqcast-Client': name }),
    on: (pattern, listener, options) => listen(listeners, change, pattern, listener, options),
    addNotificationListener: (topic, listener, persist) =>
      listen(listeners, change, topic, listener, {
        plain: true,
        href: !persist && globalThis.location?.href,
      }),
    close,
  };
}
