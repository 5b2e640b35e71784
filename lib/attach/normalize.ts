import { memoryJournal } from '../journal/memory.ts';
import { refuse } from './invalid-option.ts';
import { assertProxy } from './normalize-proxy.ts';
import type { AttachOptions } from './options.ts';

const NUMBERS = {
  windowSize: { default: 10_000, least: 1 },
  maxMessageBytes: { default: 65_536, least: 64 },
  maxPatterns: { default: 256, least: 1 },
  handshakeTimeoutMs: { default: 10_000, least: 1 },
  closeTimeoutMs: { default: 2_000, least: 0 },
} as const;

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

type Filled = 'path' | 'journal' | 'serverTiming' | keyof typeof NUMBERS;
export type NormalizedOptions = AttachOptions & Required<Pick<AttachOptions, Filled>>;

/**
 * Fills in the defaults.
 *
 * @throws ReqcastError `INVALID_OPTION` or `PROXY_WITHOUT_AUTHORIZE`
 */
export function normalizeOptions(options: AttachOptions): NormalizedOptions {
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
  for (const name of ['methods', 'redact'] as const)
    if (options[name] !== undefined && !Array.isArray(options[name]))
      refuse(name, options[name], 'a list of strings');
  const path = options.path ?? '/websockify';
  if (typeof path !== 'string' || !/^\/[^\s?#]*$/.test(path))
    refuse('path', path, 'a path that begins with "/", without query');
  if (options.journal !== undefined && typeof options.journal?.append !== 'function')
    refuse('journal', options.journal, 'a journal, e.g. fileJournal({ path })');
  assertProxy(options);
  const { serverTiming = true } = options;
  return { ...options, ...numbers, path, serverTiming, journal: options.journal ?? memoryJournal() };
}
