import type { Engine, Session } from '../engine/engine.ts';
import { Line } from './line.ts';
import { RedisSession, type RedisSettings } from './redis-session.ts';
import { refusal } from './refusal.ts';

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
