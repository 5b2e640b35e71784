import { setTimeout as sleep } from 'node:timers/promises';
import { type Line, Refused } from './line.ts';
import { type Message, nanosecondsOf, type StoredMessage, storedMessage } from './message.ts';
import { isUnheard } from './refusal.ts';

const STREAM_NOT_FOUND = 10059;
const NO_MESSAGE_FOUND = 10037;
const WRONG_LAST_SEQUENCE = 10071;

const NANOSECONDS = 1_000_000;

/**
 * A stream keeps so many messages more than it was asked for. So many can be on their way, from all processes together,
 * before one of them moves the epoch's marker on, which must not be removed.
 */
export const ROOM_MESSAGES = 10_000;
/** The marker is moved on at half of this, and processes look for it every other second. */
export const MIN_AGE_MS = 10_000;
/**
 * A server says that a stream is gone before its files are, and one that is made meanwhile loses its own with them: its
 * messages are counted and cannot be read. So one that was there is not made again at once.
 */
const DELETION_MS = 500;
/**
 * A server tells of a stream that somebody makes before the stream listens to its subjects, mostly some milliseconds
 * before. Asked so often, at this distance, one that does not listen then is not there.
 */
const MAX_UNHEARD = 20;
const UNHEARD_MS = 50;
/** A message that is sent again within this time is stored once. JetStream's default. */
const DUPLICATES_MS = 120_000;

export interface StreamSettings {
  /** The name of the stream, and what its subjects begin with. */
  readonly name: string;
  readonly maxEntries: number;
  /** Absent: for ever. */
  readonly maxAgeMs: number | undefined;
  /** Absent: what there is, or one. */
  readonly replicas: number | undefined;
}

/** As JetStream writes it. */
interface Config {
  readonly subjects?: readonly string[];
  readonly retention: string;
  readonly discard: string;
  readonly max_msgs: number;
  readonly max_age: number;
  readonly max_bytes: number;
  readonly max_msgs_per_subject: number;
  readonly max_msg_size: number;
  readonly num_replicas: number;
  readonly [other: string]: unknown;
}

interface Info {
  readonly config: Config;
  readonly state: { readonly first_seq: number; readonly last_seq: number; readonly last_ts: string };
}

/** How a stream stands. */
export interface Extent {
  readonly first: number;
  /** The newest message, or the newest one that was there. */
  readonly last: { readonly sequence: number; readonly time: string };
  /** Infinity: no limit. */
  readonly maxMessages: number;
  readonly maxAgeMs: number;
}

/** The stream, by the API of JetStream: https://docs.nats.io/reference/reference-protocols/nats_api_reference */
export class Stream {
  readonly name: string;
  readonly entries: string;
  readonly markers: string;
  readonly #settings: StreamSettings;
  readonly #line: Line;

  constructor(line: Line, settings: StreamSettings) {
    this.#line = line;
    this.#settings = settings;
    this.name = settings.name;
    this.entries = `${settings.name}.entry`;
    this.markers = `${settings.name}.epoch`;
  }

  /** The run of the server that keeps it, where that is known. */
  get run(): string | undefined {
    return this.#line.run;
  }

  /**
   * Makes it if it is not there.
   *
   * @param again it was there before
   * @returns what is wrong with the one that is there, if it is of no use
   */
  async ensure(again: boolean): Promise<string | undefined> {
    let there = await this.#config();
    if (!there && again) {
      await sleep(DELETION_MS);
      there = await this.#config();
    }
    if (there) return this.#problem(there);
    try {
      await this.#create();
      return undefined;
    } catch (error) {
      // Of several processes that start at once one makes it, and JetStream refuses the others in one way or another.
      const made = error instanceof Refused ? await this.#config() : undefined;
      if (!made) throw error;
      return this.#problem(made);
    }
  }

  /** Nothing if there is no such stream. */
  async #config(): Promise<Config | undefined> {
    try {
      return (await this.#info()).config;
    } catch (error) {
      if (error instanceof Refused && error.code === STREAM_NOT_FOUND) return undefined;
      throw error;
    }
  }

  async #create(): Promise<void> {
    const { name, maxEntries, maxAgeMs = 0, replicas = 1 } = this.#settings;
    await this.#ask('STREAM.CREATE', {
      name,
      description: 'The journal of reqcast',
      subjects: [this.entries, this.markers],
      retention: 'limits',
      discard: 'old',
      storage: 'file',
      max_msgs: maxEntries + ROOM_MESSAGES,
      max_age: maxAgeMs * NANOSECONDS,
      num_replicas: replicas,
      duplicate_window: Math.min(DUPLICATES_MS, maxAgeMs || DUPLICATES_MS) * NANOSECONDS,
    });
  }

  #problem(config: Config): string | undefined {
    const { maxEntries, maxAgeMs, replicas = 1 } = this.#settings;
    const subjects = [...(config.subjects ?? [])].sort();
    if (subjects.join() !== `${this.entries},${this.markers}`)
      return `its subjects are ${subjects.join(', ')} and must be ${this.entries} and ${this.markers} (another name by the option stream, or: --subjects ${this.entries},${this.markers})`;
    if (config.retention !== 'limits' || config.discard !== 'old' || config.mirror || config.sources)
      return 'its retention must be limits, it must discard the old, and be no copy of another: remove it, or give another name by the option stream';
    for (const limit of ['max_bytes', 'max_msg_size', 'max_msgs_per_subject'] as const)
      if (config[limit] > 0) return `its ${limit} must be -1 (--${limit.replaceAll('_', '-')}=-1)`;
    const messages = maxEntries + ROOM_MESSAGES;
    if (config.max_msgs > 0 && config.max_msgs < messages)
      return `its max_msgs is ${config.max_msgs} and must be -1 or ${messages} at least, ${ROOM_MESSAGES} more than maxEntries (--max-msgs=${messages})`;
    const age = config.max_age / NANOSECONDS;
    if (maxAgeMs === undefined ? age > 0 && age < MIN_AGE_MS : age !== maxAgeMs)
      return `its max_age is ${age} ms and must be ${maxAgeMs ?? MIN_AGE_MS} (--max-age=${maxAgeMs ?? MIN_AGE_MS}ms), or another maxAgeMs be given`;
    if (config.num_replicas < replicas)
      return `it has ${config.num_replicas} replicas and must have ${replicas} (--replicas=${replicas})`;
    return undefined;
  }

  async extent(): Promise<Extent> {
    const { config, state } = await this.#info();
    return {
      first: state.first_seq,
      last: { sequence: state.last_seq, time: nanosecondsOf(state.last_ts) },
      maxMessages: config.max_msgs > 0 ? config.max_msgs : Number.POSITIVE_INFINITY,
      maxAgeMs: config.max_age > 0 ? config.max_age / NANOSECONDS : Number.POSITIVE_INFINITY,
    };
  }

  async lastMarker(): Promise<Message | undefined> {
    return this.message({ last_by_subj: this.markers });
  }

  /** From the one of its servers that leads, so never an older state. */
  async message(which: { seq: number } | { last_by_subj: string }): Promise<Message | undefined> {
    try {
      return storedMessage((await this.#ask<{ message: StoredMessage }>('STREAM.MSG.GET', which)).message);
    } catch (error) {
      if (error instanceof Refused && error.code === NO_MESSAGE_FOUND) return undefined;
      throw error;
    }
  }

  /** @returns its sequence, and whether it had been there before */
  async addEntry(id: string, json: string): Promise<{ seq: number; duplicate?: boolean }> {
    return this.#line.ask(this.entries, json, { 'Nats-Msg-Id': id });
  }

  /**
   * Adds a marker, if the last one is that at `after` (0: if there is none): of many that try, one does.
   *
   * @returns whether it did
   */
  async addMarker(marker: object, after: number): Promise<boolean> {
    const headers = { 'Nats-Expected-Last-Subject-Sequence': after };
    for (let unheard = 0; ; ) {
      try {
        await this.#line.ask(this.markers, marker, headers);
        return true;
      } catch (error) {
        if (error instanceof Refused && error.code === WRONG_LAST_SEQUENCE) return false;
        if (!isUnheard(error) || ++unheard === MAX_UNHEARD) throw error;
        await sleep(UNHEARD_MS);
      }
    }
  }

  #info(): Promise<Info> {
    return this.#ask('STREAM.INFO');
  }

  #ask<T>(verb: string, payload?: object): Promise<T> {
    return this.#line.ask(`$JS.API.${verb}.${this.#settings.name}`, payload);
  }
}
