import { memoryJournal } from '../journal/memory.ts';
import { assertNames } from '../protocol/names.ts';
import { refuse } from './invalid-option.ts';
import { assertProxy } from './normalize-proxy.ts';
import { ATTACH_NAMES, PUSH_SERVER_NAMES } from './option-names.ts';
import type { AttachOptions } from './options.ts';

const NUMBERS = {
  windowSize: { default: 10_000, least: 1 },
  maxMessageBytes: { default: 65_536, least: 64 },
  maxMessagesPerSecond: { default: 50, least: 1 },
  maxPatterns: { default: 256, least: 1 },
  maxConnections: { default: 20_000, least: 1 },
  maxConnectionsPerAddress: { default: 1_000, least: 1 },
  stallTimeoutMs: { default: 60_000, least: 1 },
  handshakeTimeoutMs: { default: 10_000, least: 1 },
  closeTimeoutMs: { default: 2_000, least: 0 },
} as const;

/** What a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const FUNCTIONS = [
  'authorize',
  'topic',
  'audience',
  'user',
  'app',
  'message',
  'skip',
  'onRecord',
  'write',
  'onError',
] as const;

type Filled =
  | 'path'
  | 'journal'
  | 'serverTiming'
  | 'loopShare'
  | 'origins'
  | 'reauthorizeMs'
  | 'trustProxy'
  | keyof typeof NUMBERS;
export type NormalizedOptions = AttachOptions & Required<Pick<AttachOptions, Filled>>;

/**
 * Fills in the defaults.
 *
 * @throws ReqcastError `INVALID_OPTION` or `PROXY_WITHOUT_AUTHORIZE`
 */
export function normalizeOptions(options: AttachOptions): NormalizedOptions {
  assertNames('attach', options, ATTACH_NAMES);
  const numbers = Object.fromEntries(
    Object.entries(NUMBERS).map(([name, rule]) => {
      const value = options[name as keyof typeof NUMBERS] ?? rule.default;
      if (!Number.isInteger(value) || value < rule.least)
        refuse(name, value, `a whole number, ${rule.least} or more`);
      return [name, value];
    }),
  ) as Record<keyof typeof NUMBERS, number>;
  for (const name of FUNCTIONS)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      refuse(name, options[name], 'a function');
  for (const name of ['methods', 'redact', 'origins'] as const)
    if (options[name] !== undefined && !isListOfStrings(options[name]))
      refuse(name, options[name], 'a list of strings');
  if (!(options.methods ?? []).every((method) => /^[A-Z][A-Z0-9-]*$/.test(method)))
    refuse('methods', options.methods, 'a list of methods in upper case');
  const path = options.path ?? '/websockify';
  if (typeof path !== 'string' || !/^\/[^\s?#]*$/.test(path))
    refuse('path', path, 'a path that begins with "/", without query');
  if (options.journal !== undefined && typeof options.journal?.append !== 'function')
    refuse('journal', options.journal, 'a journal, e.g. fileJournal({ path })');
  if (typeof options.pushServer !== 'boolean')
    assertNames('pushServer', options.pushServer, PUSH_SERVER_NAMES);
  assertProxy(options);
  const { reauthorizeMs = 0, origins = [] } = options;
  if (!Number.isInteger(reauthorizeMs) || reauthorizeMs < 0 || reauthorizeMs > MAX_TIMER_MS)
    refuse('reauthorizeMs', reauthorizeMs, `a whole number, 0 (never) to ${MAX_TIMER_MS}`);
  const { loopShare = 1 / 3 } = options;
  if (!(typeof loopShare === 'number' && loopShare > 0 && loopShare <= 1))
    refuse('loopShare', loopShare, 'a number above 0, and 1 at most');
  const { trustProxy = false } = options;
  if (typeof trustProxy !== 'boolean' && !(Number.isInteger(trustProxy) && trustProxy >= 0))
    refuse('trustProxy', trustProxy, 'true, false, or how many proxies there are');
  for (const origin of origins) assertOrigin(origin);
  return {
    ...options,
    ...numbers,
    path,
    origins,
    reauthorizeMs,
    loopShare,
    serverTiming: options.serverTiming ?? true,
    trustProxy,
    journal: options.journal ?? memoryJournal(),
  };
}

function isListOfStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** What a browser sends as `Origin`: a scheme, a host, a port that is not the scheme's own; or `null`. */
function assertOrigin(origin: unknown): void {
  if (origin === '*' || origin === 'null') return;
  const written = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin).origin : undefined;
  // Of a scheme that is not the web's own, an extension's for instance, the parser knows no origin.
  if (written === origin || (written === 'null' && /^[a-z-]+:\/\/[^/]+$/.test(origin as string))) return;
  refuse('origins', origin, `a list of origins such as "https://app.example.com", or "*"`);
}
