import type { Hub } from '../hub/hub.ts';
import type { Format, Sink } from '../hub/sink.ts';
import type { Subscriber } from '../hub/subscriber.ts';
import type { Notification } from '../protocol/notification.ts';
import { assertPattern } from '../protocol/pattern.ts';
import type { Listener } from './attachment.ts';
import { refuse } from './invalid-option.ts';

/** The app's own listeners get the entries as they are. */
const notificationFormat: Format<readonly Notification[]> = {
  name: 'notification',
  encode: (seen, { epoch }) =>
    seen.map(({ entry: { topic, data, time, offset } }) => ({
      topic: topic as string,
      ...(data !== undefined && { data }),
      time,
      position: { epoch, offset },
    })),
};

/** In-process subscribers: always writable, and each listener's fault its own. */
export class Listeners {
  readonly #hub: Hub;
  readonly #onFault: (fault: unknown) => void;
  /** Listeners that came before the journal was open: they begin where it begins. */
  #waiting: Set<() => void> | undefined = new Set();

  constructor(hub: Hub, onFault: (fault: unknown) => void) {
    this.#hub = hub;
    this.#onFault = onFault;
  }

  open(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const enter of waiting ?? []) enter();
  }

  on(pattern: string, listener: Listener, signal?: AbortSignal): () => void {
    assertPattern(pattern);
    if (typeof listener !== 'function') refuse('listener', listener, 'a function');
    if (signal?.aborted) return () => {};
    let subscriber: Subscriber<readonly Notification[]> | undefined;
    const enter = () => {
      subscriber = this.#hub.add(notificationFormat, { patterns: [pattern], audience: 'all' }, sink);
    };
    const off = () => {
      this.#waiting?.delete(enter);
      subscriber?.leave();
      signal?.removeEventListener('abort', off);
      gone = true;
    };
    let gone = false;
    const sink = this.#sink(pattern, (notification) => (gone ? undefined : listener(notification)));
    signal?.addEventListener('abort', off, { once: true });
    if (this.#waiting) this.#waiting.add(enter);
    else enter();
    return off;
  }

  #sink(pattern: string, listener: Listener): Sink<readonly Notification[]> {
    const call = (notification: Notification) => {
      try {
        const said: unknown = listener(notification);
        if (said instanceof Promise) said.catch(this.#onFault);
      } catch (fault) {
        this.#onFault(fault);
      }
    };
    return {
      writable: true,
      stuck: () => {},
      failed: () => {},
      write: (notifications) => notifications.forEach(call),
      restart: ({ answer, position, topics }) => {
        if (answer === 'live' || answer === 'replayed') return;
        const named = answer === 'changed' ? topics : [pattern];
        for (const topic of named) call({ topic, replay: answer, position, time: Date.now() });
      },
    };
  }
}
