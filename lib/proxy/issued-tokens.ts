import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { ReqcastError } from '../protocol/errors.ts';

/** A minute: a page opens its console at once. */
const TTL_MS = 60_000;

/** Used one-time tokens are remembered until they expire, up to so many: some 20 MB. */
const MAX_USED = 100_000;

/** What the endpoint takes of a token, in characters. */
const MAX_TOKEN_LENGTH = 1024;

/** As long as what HMAC-SHA256 gives. */
export const MIN_SECRET_BYTES = 32;

/** Nothing else that is signed with the same secret can be taken for a token. */
const PURPOSE = 'reqcast token 1\n';

const ISSUED = /^rq1\.[\w-]+\.[\w-]{43}$/;

export type TokenSecret = string | Uint8Array;

export interface IssueOptions {
  /** How long it can be used, in milliseconds. @default 60000 */
  ttlMs?: number;
  /** Opens one tunnel only. @default false */
  once?: boolean;
  /** Only for visitors to whom `authorize` gives one of these audiences. @default everyone who may open tunnels */
  audience?: readonly string[];
}

/** What an issued token says. */
export interface Claims {
  readonly name: string;
  /** In milliseconds since 1970. */
  readonly expires: number;
  readonly audience?: readonly string[];
  /** What a one-time token is remembered by. */
  readonly id?: string;
}

/** True for what looks like an issued token; a plain one is base64url and has no dot. */
export const isIssued = (text: string): boolean => ISSUED.test(text);

/** Signed tokens that lead to a name's target for a while. */
export class IssuedTokens {
  readonly #secrets: readonly TokenSecret[];
  /** Used one-time tokens and when they expire. */
  readonly #used = new Map<string, number>();
  /** No used token expires before. */
  #sweepAt = 0;

  /** @param secrets the first signs, all are believed. @default one of this process's own */
  constructor(secrets: readonly TokenSecret[] = [randomBytes(MIN_SECRET_BYTES)]) {
    this.#secrets = secrets;
  }

  /** @throws ReqcastError `INVALID_OPTION` */
  issue(name: string, { ttlMs = TTL_MS, once = false, audience }: IssueOptions = {}): string {
    // Half of a surrogate pair has no UTF-8 form, so no plain token could say it either.
    if (typeof name !== 'string' || name === '' || /\p{Surrogate}/u.test(name))
      throw invalid('name', name, 'the name of a target');
    if (!Number.isInteger(ttlMs) || ttlMs < 1)
      throw invalid('ttlMs', ttlMs, 'a whole number of milliseconds, 1 or more');
    if (
      audience !== undefined &&
      !(Array.isArray(audience) && audience.every((one) => typeof one === 'string'))
    )
      throw invalid('audience', audience, 'a list of strings');
    const claims: Claims = {
      name,
      expires: Date.now() + ttlMs,
      ...(audience && { audience }),
      ...(once && { id: randomBytes(12).toString('base64url') }),
    };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const token = `rq1.${payload}.${sign(payload, this.#secrets[0] as TokenSecret)}`;
    if (token.length > MAX_TOKEN_LENGTH)
      throw invalid('name', `${name.length} characters long`, 'shorter, or the audience must');
    return token;
  }

  /**
   * What a token says, if one of our secrets signed it. All are tried, each in constant time.
   *
   * @throws ReqcastError `TOKEN_INVALID` or `TOKEN_EXPIRED`
   */
  read(text: string): Claims {
    const [, payload = '', signature = ''] = text.split('.');
    const signed = this.#secrets.filter((secret) => equal(sign(payload, secret), signature)).length > 0;
    if (!signed) throw new ReqcastError('TOKEN_INVALID', 'This token was not issued here, or was changed.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
    if (claims.expires <= Date.now()) throw new ReqcastError('TOKEN_EXPIRED', 'This token has expired.');
    return claims;
  }

  /**
   * Uses a one-time token up; any other stays as it is. Returns the undo, for when no tunnel came of it.
   *
   * @throws ReqcastError `TOKEN_USED`; `OVERLOADED` when too many are remembered, since forgetting one would make it good again
   */
  use({ id, expires }: Claims): () => void {
    if (id === undefined) return () => {};
    if (this.#used.has(id)) throw new ReqcastError('TOKEN_USED', 'This token has been used.');
    this.#sweep();
    if (this.#used.size >= MAX_USED)
      throw new ReqcastError(
        'OVERLOADED',
        `More than ${MAX_USED} one-time tokens are in use: give a shorter ttlMs.`,
      );
    this.#used.set(id, expires);
    this.#sweepAt = Math.min(this.#sweepAt, expires);
    return () => this.#used.delete(id);
  }

  /** Only when full: until then the expired ones cost nothing but their place. */
  #sweep(): void {
    const now = Date.now();
    if (this.#used.size < MAX_USED || now < this.#sweepAt) return;
    this.#sweepAt = Number.POSITIVE_INFINITY;
    for (const [id, expires] of this.#used) {
      if (expires <= now) this.#used.delete(id);
      else this.#sweepAt = Math.min(this.#sweepAt, expires);
    }
  }
}

function sign(payload: string, secret: TokenSecret): string {
  return createHmac('sha256', secret)
    .update(PURPOSE + payload)
    .digest('base64url');
}

function equal(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function invalid(name: string, value: unknown, allowed: string): ReqcastError {
  return new ReqcastError('INVALID_OPTION', `Token ${name} is ${String(value)}; it must be ${allowed}.`);
}
