import { ReqcastError, textOf } from '../../protocol/errors.ts';

/** `new Redis(…)` or `new Redis.Cluster(…)` of ioredis, connected or not. */
export interface IoRedisClient {
  readonly status: string;
  call(command: string, ...rest: never[]): Promise<unknown>;
  duplicate(...settings: never[]): unknown;
}

/** What `createClient(…)` or `createCluster(…)` of node-redis gives, connected or not. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  sendCommand(...command: never[]): Promise<unknown>;
  duplicate(...settings: never[]): unknown;
}

/** A client of the app's own. It is asked for connections with its settings, and is itself neither used nor closed. */
export type RedisClient = IoRedisClient | NodeRedisClient;

/** A connection of our own that a client gave, whichever library it is of. */
export interface Duplicate {
  connect(): Promise<unknown>;
  on(happening: 'error' | 'end', listener: (error?: Error) => void): unknown;
  call(key: string, args: readonly string[]): Promise<unknown>;
  end(): void;
}

type Any = { readonly [name: string]: (...args: unknown[]) => unknown };

/** Connecting again is the journal's, and what was not answered it must know. */
const IOREDIS = {
  lazyConnect: true,
  retryStrategy: () => null,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  // Waiting for new entries takes a second.
  commandTimeout: undefined,
  socketTimeout: undefined,
};

/** A cluster connects to its nodes when a command needs them, so it has to keep commands until then. */
const IOREDIS_CLUSTER = {
  lazyConnect: true,
  clusterRetryStrategy: () => null,
  // It asks any of them, and one that is dead would be the end of the connection.
  enableReadyCheck: false,
  enableAutoPipelining: false,
  scaleReads: 'master',
};

/** Else it connects to all masters, and one of them that is dead, whichever, would keep it from being connected. */
const NODE_REDIS_CLUSTER = { minimizeConnections: true };

/** @throws ReqcastError `INVALID_OPTION` */
export function assertClient(client: unknown): asserts client is RedisClient {
  if (isIoRedis(client) || isNodeRedis(client)) return;
  const shown = typeof client === 'object' && client ? `a ${client.constructor?.name}` : textOf(client);
  const allowed = 'a client of ioredis (Redis or Cluster) or of node-redis (createClient or createCluster)';
  throw new ReqcastError('INVALID_OPTION', `redisJournal client is ${shown}; it must be ${allowed}.`);
}

function isIoRedis(client: unknown): boolean {
  return has(client, 'call', 'duplicate') && typeof (client as IoRedisClient).status === 'string';
}

function isNodeRedis(client: unknown): boolean {
  const sentinel = has(client, 'getSentinelNode');
  return has(client, 'sendCommand', 'duplicate', 'connect') && 'isOpen' in (client as object) && !sentinel;
}

function has(client: unknown, ...methods: string[]): boolean {
  return methods.every((name) => typeof (client as Partial<Any> | null | undefined)?.[name] === 'function');
}

/** Another client with the same settings, for us alone. It connects once and not again. */
export function duplicateOf(client: RedisClient): Duplicate {
  return isIoRedis(client) ? ofIoRedis(client as unknown as Any) : ofNodeRedis(client as unknown as Any);
}

function ofIoRedis(client: Any): Duplicate {
  const cluster = client.isCluster as unknown as boolean;
  const own = (cluster ? client.duplicate?.([], IOREDIS_CLUSTER) : client.duplicate?.(IOREDIS)) as Any;
  return {
    connect: async () => own.connect?.(),
    on: (...args) => own.on?.(...args),
    call: async (_key, args) => own.call?.(...args),
    end: () => own.disconnect?.(),
  };
}

function ofNodeRedis(client: Any): Duplicate {
  const cluster = has(client, 'getSlotRandomNode');
  const own = client.duplicate?.(cluster ? NODE_REDIS_CLUSTER : undefined) as Any;
  let connected = false;
  return {
    connect: async () => {
      await own.connect?.();
      connected = true;
    },
    on: (happening, listener) => {
      if (!cluster || happening !== 'error') return own.on?.(happening, listener);
      // Until a cluster is connected it is one server that did not tell of the others, and the next one is asked.
      own.on?.('error', (error: Error) => connected && listener(error));
      return own.on?.('node-error', listener);
    },
    call: async (key, args) => (cluster ? own.sendCommand?.(key, false, args) : own.sendCommand?.(args)),
    end: () => void Promise.resolve((own.destroy ?? own.disconnect)?.call(own)).catch(() => {}),
  };
}
