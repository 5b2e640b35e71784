import { topicProblem } from '../protocol/topic.ts';
import { defaultApp, sentence } from './defaults.ts';
import type { Redactor } from './redact.ts';
import type { Router } from './routes.ts';

/** So many are remembered: more than most apps have URLs that come again, and at most a MB. */
const MAX_KNOWN = 1000;
/** A longer URL carries something of its own and does not come again. */
const MAX_URL_LENGTH = 256;

/** What a request is about, as far as its method and its URL tell. */
export interface Subject {
  readonly method: string;
  /** The secrets in its query replaced. */
  readonly url: string;
  /** One, as the routes have it. */
  readonly topics: readonly [string];
  /** Its topic can be announced. */
  readonly valid: boolean;
  readonly data?: Readonly<Record<string, string>>;
  readonly app: string | undefined;
  /** What is logged of it if all goes well. */
  readonly message: string;
}

/**
 * Finds out what requests are about. Those that come again share what was found: less to do, and above all less that
 * the journal keeps, since what outlives the young generation costs more than what made it.
 */
export class Subjects {
  readonly #route: Router;
  readonly #redactor: Redactor;
  readonly #known = new Map<string, Subject>();

  constructor(route: Router, redactor: Redactor) {
    this.#route = route;
    this.#redactor = redactor;
  }

  of(method: string, url: string): Subject {
    const known = this.#known.get(url);
    if (known?.method === method) return known;
    const subject = this.#find(method, url);
    // Data may be changed by who gets it, and secrets are not kept.
    const lasting = subject.data === undefined && subject.url === url && url.length <= MAX_URL_LENGTH;
    if (lasting) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(url, subject);
    }
    return subject;
  }

  #find(method: string, url: string): Subject {
    const { topic, data } = this.#route(method, url);
    return {
      method,
      url: this.#redactor.url(url),
      topics: [topic],
      valid: topicProblem(topic) === undefined,
      data,
      app: defaultApp(topic),
      message: sentence(method, topic),
    };
  }
}
