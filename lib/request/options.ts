import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestRecord } from '../journal/entry.ts';

/** A record under way: `onRecord` may change it before the journal has it. */
export type MutableRecord = { -readonly [K in keyof RequestRecord]: RequestRecord[K] };

/** What becomes of a request. The functions get Node's own request and response, when the response is done. */
export interface RequestOptions {
  /** Requests with these methods are logged and announced. @default ['POST', 'PUT', 'PATCH', 'DELETE'] */
  methods?: readonly string[];
  /**
   * URL patterns to topic templates, the first that matches counts: `'/plugins/:plugin/:entity/:id?/:action?'` to
   * `'/:plugin/:entity/:action'`. @default the URL's path is the topic's
   */
  routes?: Readonly<Record<string, string>>;
  /** Give the named parts that the template leaves out as data, e.g. `{ id: 'vm-7' }`. @default false */
  routeData?: boolean;
  /** The topic, or topics, or `false` for none. @default from `routes` */
  topic?: (request: IncomingMessage, response: ServerResponse) => string | readonly string[] | false;
  /** Announce requests with status 400 and above, aborted and failed ones too. @default false */
  announceFailed?: boolean;
  /** Announce each new record under this topic too, as WoK does with `POST:/wok/logs`. @default off */
  announceLog?: string;
  /** Who may see the notification. @default everyone who may enter */
  audience?: (request: IncomingMessage, response: ServerResponse) => readonly string[] | undefined;
  /** Who made the request. @default `request.user`, `request.session.user` or `request.auth`: a string, or its name */
  user?: (request: IncomingMessage, response: ServerResponse) => string | undefined;
  /** The plugin. @default the topic's first segment */
  app?: (request: IncomingMessage, response: ServerResponse) => string | undefined;
  /** The sentence for the User Log. @default e.g. `Create ginger users` */
  message?: (record: RequestRecord, request: IncomingMessage) => string;
  /** Log the request's parsed body, secrets replaced; a function gives something else. @default false */
  params?: boolean | ((request: IncomingMessage, response: ServerResponse) => unknown);
  /** More names whose values are replaced in params and in query strings, upper or lower case. */
  redact?: readonly string[];
  /**
   * How many proxies of your own are in front, each of which adds to `X-Forwarded-For`; `true` is one. Believes
   * `X-Forwarded-Host` too. Nobody may reach the server past them. @default false
   */
  trustProxy?: boolean | number;
  /** Leave this request out altogether. */
  skip?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Sees each record just before the journal does, and may change it. */
  onRecord?: (record: MutableRecord, request: IncomingMessage, response: ServerResponse) => void;
  /** Receives each record for a logger: `(record) => pino.info(record, record.message)`. */
  write?: (record: RequestRecord) => void;
}
