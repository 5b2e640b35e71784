import type { Engine, Session } from '../engine/engine.ts';
import type { RedisClient } from './client.ts';
import { Line } from './line.ts';
import { RedisSession } from './redis-session.ts';
import { refusal } from './refusal.ts';

export interface RedisSettings {
  readonly client: RedisClient;
  /** The key of the stream. */
  readonly stream: string;
  /** The key of the number of this process's last batch; with the same hash tag. */
  readonly writer: string;
  readonly maxEntries: number;
  /** Infinity: for ever. */
  readonly maxAgeMs: number;
}

/** A stream of Redis. */
export class RedisEngine implements Engine {
  readonly name = 'Redis';
  readonly #settings: RedisSettings;

  constructor(settings: RedisSettings) {
    this.#settings = settings;
  }

  async connect(): Promise<Session> {
    const line = await Line.open(this.#settings.client).catch(refusal);
    return new RedisSession(line, this.#settings);
  }
}
