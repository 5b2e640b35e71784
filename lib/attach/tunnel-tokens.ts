import type { IncomingMessage } from 'node:http';
import { ReqcastError } from '../protocol/errors.ts';
import { assertNames } from '../protocol/names.ts';
import { type Claims, IssuedTokens, type IssueOptions, isIssued } from '../proxy/issued-tokens.ts';
import { findTarget, type Target } from '../proxy/target.ts';
import { TokenFile } from '../proxy/token-file.ts';
import type { Connection } from '../websocket/destination.ts';
import { Refusal } from '../websocket/refusal.ts';
import { badToken, type WrittenToken } from '../websocket/token.ts';
import { connect } from './authorized.ts';
import type { Fault } from './faults.ts';
import type { NormalizedOptions } from './normalize.ts';
import { secretsOf } from './normalize-proxy.ts';
import { ISSUE_NAMES } from './option-names.ts';

/** A visitor who may open a tunnel. */
export interface Admission {
  /** For people to read: a token that stands for no name is cut short, as it may be a secret. */
  readonly name: string;
  readonly connection: Connection;
  /** Asks again whether they may. @throws Refusal */
  authorize(): Promise<Connection>;
  /** @throws Refusal 404 */
  find(): Promise<Target>;
  /** No tunnel came of it: a one-time token is good again. */
  release(): void;
}

/** From a token in a URL to a target, for those who may. */
export class TunnelTokens {
  readonly #options: NormalizedOptions;
  readonly #fault: Fault;
  readonly #issued: IssuedTokens;

  constructor(options: NormalizedOptions, fault: Fault) {
    this.#options = options;
    this.#fault = fault;
    this.#issued = new IssuedTokens(secretsOf(options.proxy));
  }

  /** @throws ReqcastError `INVALID_OPTION` */
  issue(name: string, options?: IssueOptions): string {
    if (!this.#options.proxy)
      throw new ReqcastError(
        'INVALID_OPTION',
        'tokens.issue needs option proxy, whose targets they lead to.',
      );
    assertNames('tokens.issue', options, ISSUE_NAMES);
    return this.#issued.issue(name, options);
  }

  /** @throws Refusal */
  async admit(token: WrittenToken, request: IncomingMessage): Promise<Admission> {
    const { proxy } = this.#options;
    const claims = proxy && isIssued(token.text) ? this.#read(token.text) : undefined;
    const wanted = claims ? { text: claims.name, name: claims.name } : token;
    const byText = proxy?.targets instanceof TokenFile;
    if (wanted.name === undefined && !byText) throw badToken();
    if (!proxy) throw unknownToken();
    if (proxy.issuedOnly && !claims)
      throw new Refusal(403, 'TOKEN_NOT_ISSUED', 'Tokens are issued by this server only.');
    const authorize = async () => {
      const name = wanted.name ?? wanted.text;
      const connection = await connect(proxy.authorize ?? this.#options.authorize, request, name);
      assertOwner(claims, connection);
      return connection;
    };
    const connection = await authorize();
    return {
      name: wanted.name ?? `${[...wanted.text].slice(0, 4).join('')}…`,
      connection,
      authorize,
      find: () => this.#find(wanted, connection.request),
      // Last of all, so that a one-time token is used up by none but its owner.
      release: claims ? this.#use(claims) : () => {},
    };
  }

  #read(text: string): Claims {
    try {
      return this.#issued.read(text);
    } catch (error) {
      throw refusalOf(error as ReqcastError);
    }
  }

  #use(claims: Claims): () => void {
    try {
      return this.#issued.use(claims);
    } catch (error) {
      const { code } = error as ReqcastError;
      if (code === 'OVERLOADED') this.#fault('proxy', error);
      throw refusalOf(error as ReqcastError);
    }
  }

  async #find(token: WrittenToken, request: IncomingMessage): Promise<Target> {
    const { targets = {} } = this.#options.proxy ?? {};
    const found =
      targets instanceof TokenFile
        ? await targets.find(token, (fault) => this.#fault('proxy', fault))
        : await findTarget(targets, token.name as string, request);
    if (!found) throw unknownToken();
    return found;
  }
}

/** @throws Refusal 403 */
function assertOwner(claims: Claims | undefined, { audiences }: Connection): void {
  if (claims?.audience && !claims.audience.some((one) => audiences.includes(one)))
    throw new Refusal(403, 'TOKEN_NOT_YOURS', 'This token was issued to somebody else.');
}

const unknownToken = () => new Refusal(404, 'UNKNOWN_TOKEN', 'This token leads nowhere.');

function refusalOf({ code, message }: ReqcastError): Refusal {
  if (code === 'OVERLOADED') return new Refusal(503, code, 'Try again later.', { 'Retry-After': '30' });
  return new Refusal(code === 'TOKEN_EXPIRED' ? 401 : 403, code, message);
}
