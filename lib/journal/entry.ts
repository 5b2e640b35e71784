/** One record in the journal. The line in the request log, the notification and the replay history are all this. */
export interface Entry {
  /** Counts up by one within an epoch. */
  readonly offset: number;
  /** When it was accepted, in milliseconds since 1970. */
  readonly time: number;
  /** What is announced; absent when it is only logged. */
  readonly topic?: string;
  /** Any JSON value. */
  readonly data?: unknown;
  /** Who may see it; absent: everyone who may enter. */
  readonly audience?: readonly string[];
  /** The mark of the client whose request was the cause, if it named itself: made of its name, which is not kept. */
  readonly client?: string;
  /** The process that it came from; absent where a journal has but one. */
  readonly node?: string;
  /** The mark by which a journal of many processes tells an entry that it has already. It is not handed on. */
  readonly origin?: string;
  readonly request?: RequestRecord;
}

/** An entry before the journal gave it an offset. */
export type Draft = Omit<Entry, 'offset'>;

/** The draft without an offset, which one has that is the entry of another journal. */
export function draftOf(given: Draft): Draft {
  if (!('offset' in given)) return given;
  const { offset, ...draft } = given as Entry;
  return draft;
}

/** How a request ended. `failed`: the handler threw or answered 5xx. `aborted`: the client went away first. */
export type Outcome = 'completed' | 'aborted' | 'failed';

/** A request, or the end of a task that one started, as the request log keeps it. */
export interface RequestRecord {
  /** Unique. */
  readonly id: string;
  /** An HTTP method, or `TASK` for the end of a task. */
  readonly method: string;
  /** The original URL, secrets in its query replaced. */
  readonly url: string;
  /** The topic that the request has, announced or not. */
  readonly topic?: string;
  readonly status: number;
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly user?: string;
  /** The remote address. */
  readonly address?: string;
  /** The plugin: the topic's first segment unless told otherwise. */
  readonly app?: string;
  /** A readable sentence. */
  readonly message: string;
  /** The request's body, secrets replaced; only when asked for. */
  readonly params?: unknown;
  /** On a `TASK` or `CLOSE` record: the id of the record of what has ended. */
  readonly task?: string;
  /** On the records of a tunnel, `OPEN` and `CLOSE`; bytes and reason when it has ended. */
  readonly tunnel?: TunnelRecord;
}

/** What the log tells of a tunnel. */
export interface TunnelRecord {
  /** The name that the token stands for. */
  readonly name: string;
  readonly target: string;
  /** From the client to the target. */
  readonly bytesIn?: number;
  /** From the target to the client. */
  readonly bytesOut?: number;
  /** Which side ended it, and how. */
  readonly reason?: string;
}
