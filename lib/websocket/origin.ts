import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

export interface OriginRule {
  /** Origins (`https://app.example.com`) whose pages may connect beside those of the same host; `*`: all. */
  readonly origins: readonly string[];
  /** Believe `X-Forwarded-Host`. */
  readonly trustProxy: boolean | number;
}

/**
 * Lets in pages of the request's own host, pages of the origins that the rule names, and programs, which send no
 * `Origin` (RFC 6455, 10.2). The scheme is not compared: behind a proxy that ends TLS nobody here knows it.
 *
 * @throws Refusal 403
 */
export function assertOrigin({ headers }: IncomingMessage, { origins, trustProxy }: OriginRule): void {
  const { origin } = headers;
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return;
  const forwarded = trustProxy
    ? String(headers['x-forwarded-host'] ?? '')
        .split(',')[0]
        ?.trim()
    : '';
  if (isSameHost(origin, forwarded || headers.host)) return;
  throw new Refusal(
    403,
    'FORBIDDEN_ORIGIN',
    `Pages of ${origin} may not connect to ${forwarded || headers.host}: see options origins and trustProxy.`,
  );
}

function isSameHost(origin: string, host: string | undefined): boolean {
  if (!host) return false;
  // As browsers write it; the parser is slow.
  if (origin === `https://${host}` || origin === `http://${host}`) return true;
  if (!/^https?:\/\//.test(origin)) return false;
  const [scheme] = origin.split('//');
  try {
    // Both through the parser: default ports and upper case say the same in many ways.
    return new URL(origin).host === new URL(`${scheme}//${host}`).host;
  } catch {
    return false;
  }
}
